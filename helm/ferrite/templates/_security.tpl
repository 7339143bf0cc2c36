{{/* Whether there is TLS, and a policy: "yes", or nothing. */}}
{{- define "ferrite.tls" -}}
{{- if or .Values.tls.secretName .Values.tls.issuer.name }}yes{{ end }}
{{- end }}
{{- define "ferrite.policy" -}}
{{- if or .Values.policy.rules .Values.policy.configMap }}yes{{ end }}
{{- end }}

{{/* The Secret with the certificate, and the ConfigMap with the policy. */}}
{{- define "ferrite.tlsSecret" -}}
{{- default (printf "%s-tls" (include "ferrite.fullname" .)) .Values.tls.secretName }}
{{- end }}
{{- define "ferrite.policyMap" -}}
{{- default (printf "%s-policy" (include "ferrite.fullname" .)) .Values.policy.configMap }}
{{- end }}

{{/* The name by which clients in the cluster call it, which its certificate must have. */}}
{{- define "ferrite.host" -}}
{{ include "ferrite.fullname" . }}.{{ .Release.Namespace }}.svc
{{- end }}

{{/* What is missing for it to be safe. */}}
{{- define "ferrite.missing" -}}
{{- if not (include "ferrite.tls" .) }}no TLS{{ end }}
{{- if not (or (include "ferrite.tls" .) (include "ferrite.policy" .)) }} and {{ end }}
{{- if not (include "ferrite.policy" .) }}no policy{{ end }}
{{- end }}

{{/* Refuses values that contradict each other. */}}
{{- define "ferrite.check" -}}
{{- $tls := include "ferrite.tls" . }}
{{- $policy := include "ferrite.policy" . }}
{{- if and (not .Values.insecure) (not (and $tls $policy)) }}
{{- fail (printf "insecure is false, but there is %s: set tls.secretName or tls.issuer.name, and policy.rules or policy.configMap, or insecure to true if whoever reaches the pods may read and change everything" (include "ferrite.missing" .)) }}
{{- end }}
{{- if and .Values.insecure $tls $policy }}
{{- fail "insecure is true, but there are TLS and a policy: set insecure to false, so that it does not start without them" }}
{{- end }}
{{- if and (ne .Values.tls.clientAuth "none") (not $tls) }}
{{- fail "tls.clientAuth is for TLS: set tls.secretName or tls.issuer.name as well" }}
{{- end }}
{{- if and .Values.policy.rules .Values.policy.configMap }}
{{- fail "policy.rules and policy.configMap are both set: the policy comes from one of them" }}
{{- end }}
{{- if and .Values.policy.keySets (not .Values.policy.rules) }}
{{- fail "policy.keySets are files that policy.rules names: set these, or put the files into the ConfigMap of policy.configMap" }}
{{- end }}
{{- if hasKey .Values.policy.keySets "policy.yaml" }}
{{- fail "policy.keySets has a file policy.yaml, which is the policy itself" }}
{{- end }}
{{- if and .Values.policy.peerTokenSecret (not .Values.cluster.name) }}
{{- fail "policy.peerTokenSecret is for pods of a cluster: set cluster.name as well" }}
{{- end }}
{{- if and .Values.cluster.name $policy (eq .Values.tls.clientAuth "none") (not .Values.policy.peerTokenSecret) }}
{{- fail "in a cluster with a policy pods have to show each other who they are: set tls.clientAuth to require or optional, or policy.peerTokenSecret" }}
{{- end }}
{{- end }}
