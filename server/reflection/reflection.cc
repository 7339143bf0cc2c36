#include "server/reflection/reflection.h"

#include <google/protobuf/descriptor.pb.h>

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_replace.h"
#include "base/check.h"
#include "server/call/method.h"
#include "server/call/status.h"

namespace ferrite {
namespace {

using google::protobuf::FileDescriptor;
using google::protobuf::FileDescriptorProto;
using grpc::reflection::v1::ServerReflectionRequest;
using grpc::reflection::v1::ServerReflectionResponse;

void SetNotFound(const std::string& what, ServerReflectionResponse* response) {
  response->mutable_error_response()->set_error_code(static_cast<int>(absl::StatusCode::kNotFound));
  response->mutable_error_response()->set_error_message("there is no " + what + " here");
}

// The file after those that it needs.
void AddFile(const FileDescriptor& file, std::set<const FileDescriptor*>* added,
             grpc::reflection::v1::FileDescriptorResponse* response) {
  if (!added->insert(&file).second) return;
  FileDescriptorProto proto;
  file.CopyTo(&proto);
  response->add_file_descriptor_proto(proto.SerializeAsString());
  for (int i = 0; i < file.dependency_count(); ++i) AddFile(*file.dependency(i), added, response);
}

void SetFile(const FileDescriptor* file, const std::string& what,
             ServerReflectionResponse* response) {
  if (file == nullptr) return SetNotFound(what, response);
  std::set<const FileDescriptor*> added;
  AddFile(*file, &added, response->mutable_file_descriptor_response());
}

// The same file by the older name of its package.
FileDescriptorProto OlderReflection() {
  FileDescriptorProto file;
  ServerReflectionRequest::descriptor()->file()->CopyTo(&file);
  const auto rename = [](std::string* name) {
    *name = absl::StrReplaceAll(*name, {{"reflection/v1/", "reflection/v1alpha/"},
                                        {"reflection.v1", "reflection.v1alpha"}});
  };
  rename(file.mutable_name());
  rename(file.mutable_package());
  for (auto& message : *file.mutable_message_type()) {
    for (auto& field : *message.mutable_field()) {
      if (field.has_type_name()) rename(field.mutable_type_name());
    }
  }
  for (auto& method : *file.mutable_service(0)->mutable_method()) {
    rename(method.mutable_input_type());
    rename(method.mutable_output_type());
  }
  file.clear_options();
  return file;
}

}  // namespace

Reflection::Reflection() { FERRITE_CHECK(pool_.BuildFile(OlderReflection()) != nullptr); }

absl::Status Reflection::Reflect(Turn* turn) const {
  Request request;
  if (!turn->request().ParseInto(&request)) {
    return InvalidArgument(v1::MALFORMED, "what was sent is not a ServerReflectionRequest");
  }
  Response response;
  response.set_valid_host(request.host());
  Fill(request, &response);
  *response.mutable_original_request() = std::move(request);
  turn->reply()->AppendMessage(response);
  return absl::OkStatus();
}

void Reflection::Fill(const Request& request, Response* response) const {
  switch (request.message_request_case()) {
    case Request::kFileByFilename: {
      const std::string& name = request.file_by_filename();
      return SetFile(pool_.FindFileByName(name), "file " + name, response);
    }
    case Request::kFileContainingSymbol: {
      const std::string& name = request.file_containing_symbol();
      return SetFile(pool_.FindFileContainingSymbol(name), "symbol " + name, response);
    }
    case Request::kFileContainingExtension: {
      const auto& extension = request.file_containing_extension();
      const std::string what = "extension " + std::to_string(extension.extension_number()) +
                               " of " + extension.containing_type();
      const auto* const type = pool_.FindMessageTypeByName(extension.containing_type());
      const auto* const field =
          type == nullptr ? nullptr
                          : pool_.FindExtensionByNumber(type, extension.extension_number());
      return SetFile(field == nullptr ? nullptr : field->file(), what, response);
    }
    case Request::kAllExtensionNumbersOfType:
      return ListExtensions(request.all_extension_numbers_of_type(), response);
    case Request::kListServices:
      return ListServices(response);
    case Request::MESSAGE_REQUEST_NOT_SET:
      break;
  }
  response->mutable_error_response()->set_error_code(
      static_cast<int>(absl::StatusCode::kInvalidArgument));
  response->mutable_error_response()->set_error_message("the request asks for nothing");
}

void Reflection::ListServices(Response* response) const {
  std::set<std::string> names;
  for (const MethodName& method : kMethodNames) names.insert(std::string(method.service));
  for (const std::string& name : names) {
    response->mutable_list_services_response()->add_service()->set_name(name);
  }
}

void Reflection::ListExtensions(const std::string& type, Response* response) const {
  const auto* const message = pool_.FindMessageTypeByName(type);
  if (message == nullptr) return SetNotFound("message " + type, response);
  auto* const numbers = response->mutable_all_extension_numbers_response();
  numbers->set_base_type_name(type);
  std::vector<const google::protobuf::FieldDescriptor*> extensions;
  pool_.FindAllExtensions(message, &extensions);
  for (const auto* extension : extensions) numbers->add_extension_number(extension->number());
}

}  // namespace ferrite
