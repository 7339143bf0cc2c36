"""The standard services: health and reflection."""

import grpc
import health_pb2_grpc
import pytest
import reflection_pb2_grpc
from cache_client import CALL_S, CacheClient, failure_from
from ferrite.v1.cache_pb2 import GetRequest
from google.protobuf import descriptor_pb2
from health_pb2 import HealthCheckRequest, HealthCheckResponse
from reflection_pb2 import ServerReflectionRequest
from server_process import ServerProcess
from stalled_call import stall

SERVICES = ["", "ferrite.v1.CacheService", "ferrite.v1.AdminService"]


@pytest.fixture(scope="module")
def health(client):
    return health_pb2_grpc.HealthStub(client.channel)


@pytest.fixture(scope="module")
def reflect(client):
    stub = reflection_pb2_grpc.ServerReflectionStub(client.channel)

    def ask(**question):
        (answer,) = stub.ServerReflectionInfo(
            iter([ServerReflectionRequest(**question)]), timeout=CALL_S
        )
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
    assert {"ferrite.v1.CacheService", "ferrite.v1.AdminService", "grpc.health.v1.Health"} <= names


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


def test_reflection_of_an_unknown_symbol_is_not_found(reflect):
    assert (
        reflect(file_containing_symbol="no.such.Service").error_response.error_code
        == grpc.StatusCode.NOT_FOUND.value[0]
    )
