#pragma once

// Small builders over prometheus-cpp's data types.

#include <prometheus/metric_family.h>

#include <string>
#include <utility>
#include <vector>

namespace ferrite {

using MetricLabels = std::vector<prometheus::ClientMetric::Label>;

inline prometheus::MetricFamily MakeFamily(std::string name, std::string help,
                                           prometheus::MetricType type) {
  prometheus::MetricFamily family;
  family.name = std::move(name);
  family.help = std::move(help);
  family.type = type;
  return family;
}

inline void AddCounter(prometheus::MetricFamily* family, MetricLabels labels, double value) {
  prometheus::ClientMetric& metric = family->metric.emplace_back();
  metric.label = std::move(labels);
  metric.counter.value = value;
}

inline void AddGauge(prometheus::MetricFamily* family, MetricLabels labels, double value) {
  prometheus::ClientMetric& metric = family->metric.emplace_back();
  metric.label = std::move(labels);
  metric.gauge.value = value;
}

// A family of one value without labels.
inline prometheus::MetricFamily SingleCounter(std::string name, std::string help, double value) {
  prometheus::MetricFamily family =
      MakeFamily(std::move(name), std::move(help), prometheus::MetricType::Counter);
  AddCounter(&family, {}, value);
  return family;
}
inline prometheus::MetricFamily SingleGauge(std::string name, std::string help, double value) {
  prometheus::MetricFamily family =
      MakeFamily(std::move(name), std::move(help), prometheus::MetricType::Gauge);
  AddGauge(&family, {}, value);
  return family;
}

}  // namespace ferrite
