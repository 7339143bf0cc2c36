#include "server/access/demand.h"

#include "ferrite/v1/cache.pb.h"
#include "proto/wire/field_reader.h"
#include "server/call/status.h"
#include "server/routing/operation_key.h"
#include "store/operation.h"

namespace ferrite {
namespace {

using policy::Verb;
using policy::Verbs;
using v1::Operation;

constexpr int kKey = v1::GetRequest::kKeyFieldNumber;

// What a request asks for by what it is.
Verbs VerbsOf(int field) {
  switch (field) {
    case Operation::kGetFieldNumber:
    case Operation::kTouchFieldNumber:
    case Operation::kExistsFieldNumber:
      return Verb::kRead;
    case Operation::kSetFieldNumber:
      return Verb::kWrite;
    case Operation::kDeleteFieldNumber:
      return Verb::kDelete;
    case Operation::kIncrFieldNumber:
      return Verb::kRead | Verb::kWrite;  // it answers with the value
    case Operation::kPublishFieldNumber:
      return Verb::kPublish;
    default:
      return {};
  }
}

// What it asks for besides, by a field that is an integer.
Verbs VerbsOfField(int field, int number, uint64_t integer) {
  switch (field) {
    case Operation::kGetFieldNumber:
      return number == v1::GetRequest::kTouchTtlMsFieldNumber ? Verbs(Verb::kWrite) : Verbs();
    case Operation::kSetFieldNumber:
      return number == v1::SetRequest::kReturnPreviousFieldNumber && integer != 0
                 ? Verbs(Verb::kRead)
                 : Verbs();
    case Operation::kTouchFieldNumber:
      return number == v1::TouchRequest::kTtlMsFieldNumber ||
                     number == v1::TouchRequest::kExpireAtUnixMsFieldNumber ||
                     number == v1::TouchRequest::kPersistFieldNumber
                 ? Verbs(Verb::kWrite)
                 : Verbs();
    default:
      return {};
  }
}

Demand Plain(int field) {
  return {.is_channel = field == Operation::kPublishFieldNumber, .verbs = VerbsOf(field)};
}

Demand Of(int field, std::string_view name) {
  Demand demand = Plain(field);
  demand.name = name;
  return demand;
}

}  // namespace

Demand DemandOfRequest(int field, const Request& request, std::string* copy) {
  Demand demand = Plain(field);
  const bool is_well_formed = ForEachField(request, [&](const ShortField& each) {
    // As in every message, of two the last one counts.
    if (each.number == kKey && each.is_bytes) copy->assign(each.bytes);
    if (each.is_integer) demand.verbs |= VerbsOfField(field, each.number, each.integer);
  });
  demand.name = *copy;
  if (!is_well_formed) demand.problem = Malformed(RequestNameOf(field));
  return demand;
}

Demand DemandOfRequest(int field, std::string_view request) {
  Demand demand = Plain(field);
  FieldReader each(request);
  while (each.Next()) {
    if (each.Is(kKey)) {
      demand.name = each.bytes();
    } else if (each.IsInteger(each.number())) {
      demand.verbs |= VerbsOfField(field, each.number(), each.integer());
    }
  }
  if (demand.name.size() > kMaxKeyBytes) demand.name = {};
  if (!each.well_formed()) demand.problem = Malformed(RequestNameOf(field));
  return demand;
}

Demand DemandOfOperation(const FrameOperation& operation) {
  if (operation.kind != FrameOperation::Kind::kOther) [[likely]]
    return Of(FieldOf(operation.kind), operation.key);
  const OperationSubject subject = SubjectOfOperation(operation.message);
  if (!subject.problem.ok()) return {.problem = subject.problem};
  // Not left to whoever executes it: what this does not know, it cannot check.
  if (VerbsOf(subject.field).empty()) return {.problem = UnknownOperation()};
  Demand demand = DemandOfRequest(subject.field, subject.request);
  demand.in_anothers_name = subject.has_scope;
  return demand;
}

Demand DemandOfKey(int field, std::string_view key) { return Of(field, key); }

bool Allows(const Identity& who, const Demand& demand) {
  const policy::Rights& rights = *who.rights;
  // Whoever may write every key, as nodes may, could do nothing more with another's id.
  if (demand.in_anothers_name && !rights.MayOnKeysWith(Verb::kWrite, {})) return false;
  if (demand.name.empty()) return rights.MaySomewhere(demand.verbs) && !rights.empty();
  return demand.is_channel ? rights.MayOnChannel(demand.verbs, demand.name)
                           : rights.MayOnKey(demand.verbs, demand.name);
}

}  // namespace ferrite
