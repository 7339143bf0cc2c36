"""The standard services: health and reflection."""

import grpc
import health_pb2_grpc
import pytest
import reflection_pb2_grpc
from cache_client import CALL_S, CacheClient, failure_from
from eventually import eventually
from ferrite.v1.admin_pb2 import StatsRequest
from ferrite.v1.cache_pb2 import GetRequest
from google.protobuf import descriptor_pb2
from health_pb2 import HealthCheckRequest, HealthCheckResponse
from reflection_pb2 import (
    ExtensionRequest,
    ServerReflectionRequest,
    ServerReflectionResponse,
)
from server_process import ServerProcess
from stalled_call import stall

SERVICES = ["", "ferrite.v1.CacheService", "ferrite.v1.AdminService", "ferrite.v1.ClusterService"]


@pytest.fixture(scope="module")
def health(client):
    return health_pb2_grpc.HealthStub(client.channel)


@pytest.fixture(scope="module", params=["v1", "v1alpha"])
def reflect(client, request):
    """Asks by either name: the messages are the same."""
    ask_all = client.channel.stream_stream(
        f"/grpc.reflection.{request.param}.ServerReflection/ServerReflectionInfo",
        request_serializer=ServerReflectionRequest.SerializeToString,
        response_deserializer=ServerReflectionResponse.FromString,
    )

    def ask(**question):
        (answer,) = ask_all(iter([ServerReflectionRequest(**question)]), timeout=CALL_S)
        assert answer.original_request == ServerReflectionRequest(**question)
        return answer

    return ask


@pytest.mark.parametrize("service", SERVICES)
def test_health_is_reported_per_service(health, service):
    answer = health.Check(HealthCheckRequest(service=service), timeout=CALL_S)
    assert answer.status == HealthCheckResponse.SERVING


def test_health_of_an_unknown_service_is_not_found(health):
    failure = failure_from(
        health.Check, HealthCheckRequest(service="no.such.Service"), timeout=CALL_S
    )
    assert failure.code == grpc.StatusCode.NOT_FOUND
    stream = health.Watch(HealthCheckRequest(service="no.such.Service"), timeout=CALL_S)
    assert next(stream).status == HealthCheckResponse.SERVICE_UNKNOWN
    stream.cancel()


@pytest.mark.parametrize("service", SERVICES)
def test_health_turns_not_serving_when_the_server_is_asked_to_stop(service):
    with ServerProcess() as server, CacheClient(server.grpc_address) as client:
        stub = health_pb2_grpc.HealthStub(client.channel)
        stream = stub.Watch(HealthCheckRequest(service=service), timeout=CALL_S)
        assert next(stream).status == HealthCheckResponse.SERVING
        with stall(server, client):
            server.terminate()
            assert next(stream).status == HealthCheckResponse.NOT_SERVING
        stream.cancel()
        assert server.wait()[0] == 0


def test_an_open_watch_does_not_keep_the_server_running():
    with ServerProcess("--shutdown-grace=1s") as server, CacheClient(server.grpc_address) as client:
        stream = health_pb2_grpc.HealthStub(client.channel).Watch(
            HealthCheckRequest(), timeout=CALL_S
        )
        assert next(stream).status == HealthCheckResponse.SERVING
        server.terminate()
        assert server.wait()[0] == 0


def test_reflection_lists_the_services(reflect):
    names = {service.name for service in reflect(list_services="").list_services_response.service}
    assert {*SERVICES[1:], "grpc.health.v1.Health"} <= names


def test_reflection_describes_every_rpc(reflect):
    answer = reflect(file_containing_symbol="ferrite.v1.CacheService")
    files = [
        descriptor_pb2.FileDescriptorProto.FromString(raw)
        for raw in answer.file_descriptor_response.file_descriptor_proto
    ]
    (cache,) = [
        service for file in files for service in file.service if service.name == "CacheService"
    ]
    expected = GetRequest.DESCRIPTOR.file.services_by_name["CacheService"].methods
    assert [method.name for method in cache.method] == [method.name for method in expected]


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
def test_reflection_describes_itself(reflect, version):
    answer = reflect(file_containing_symbol=f"grpc.reflection.{version}.ServerReflection")
    (raw,) = answer.file_descriptor_response.file_descriptor_proto
    file = descriptor_pb2.FileDescriptorProto.FromString(raw)
    assert file.package == f"grpc.reflection.{version}"
    assert file.service[0].method[0].input_type == f".{file.package}.ServerReflectionRequest"
    assert reflect(file_by_filename=file.name).file_descriptor_response.file_descriptor_proto


def test_one_stream_answers_many_questions(client):
    stub = reflection_pb2_grpc.ServerReflectionStub(client.channel)
    names = ["ferrite.v1.GetRequest", "no.such.Message", "ferrite.v1.CacheService.Get"]
    requests = [ServerReflectionRequest(host="h", file_containing_symbol=name) for name in names]
    answers = list(stub.ServerReflectionInfo(iter(requests), timeout=CALL_S))
    kinds = [answer.WhichOneof("message_response") for answer in answers]
    assert kinds == ["file_descriptor_response", "error_response", "file_descriptor_response"]
    assert {answer.valid_host for answer in answers} == {"h"}


NOWHERE = [
    {"file_by_filename": "no/such.proto"},
    {"file_containing_symbol": "no.such.Service"},
    {"all_extension_numbers_of_type": "no.such.Message"},
    {"file_containing_extension": ExtensionRequest(containing_type="no.such.M", extension_number=1)},
]


@pytest.mark.parametrize("question", NOWHERE, ids=lambda question: next(iter(question)))
def test_reflection_of_what_there_is_not(reflect, question):
    error = reflect(**question).error_response
    assert error.error_code == grpc.StatusCode.NOT_FOUND.value[0] and error.error_message


def test_reflection_of_an_unknown_symbol_is_not_found(reflect):
    assert (
        reflect(file_containing_symbol="no.such.Service").error_response.error_code
        == grpc.StatusCode.NOT_FOUND.value[0]
    )


def test_services_with_a_method_of_one_name_are_counted_apart(client):
    def counts():
        stats = client.Stats(StatsRequest())
        calls = {
            method.service: method.calls_ok
            for method in stats.methods
            if method.method == "ServerReflectionInfo"
        }
        return calls, stats.calls_ok["ServerReflectionInfo"]

    def ask(version):
        call = client.channel.stream_stream(
            f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
            request_serializer=ServerReflectionRequest.SerializeToString,
            response_deserializer=ServerReflectionResponse.FromString,
        )
        list(call(iter([ServerReflectionRequest(list_services="")]), timeout=CALL_S))

    newer, older = (f"grpc.reflection.{version}.ServerReflection" for version in ("v1", "v1alpha"))
    before, all_before = counts()
    for version in ("v1", "v1alpha", "v1alpha"):
        ask(version)
    after, all_after = eventually(
        counts, lambda now: now[1] >= all_before + 3, "the calls are counted"
    )
    assert after[newer] - before[newer] == 1
    assert after[older] - before[older] == 2
    assert all_after == all_before + 3 == after[newer] + after[older]
