#pragma once

// Which calls may be sent again when it is not known whether the first try was executed.
//
// A call is repeatable if executing it twice in a row has the effect and the answer of executing it
// once, or if the server recognises the repetition by its request_id.
//
// | call                     | repeatable | because                                               |
// |--------------------------|------------|-------------------------------------------------------|
// | Get, MGet, Exists, Scan  | always     | reads; a touch_ttl_ms counts from the last try        |
// | Info, Stats, SlowLog,    | always     | reads                                                 |
// | GetConfig, GetPolicy,    |            |                                                       |
// | WhoAmI, Can              |            |                                                       |
// | IssueToken               | always     | changes nothing on the server                         |
// | health                   | always     | reads                                                 |
// | Touch                    | always     | the same expiry again, counted from the last try      |
// | Set, no strings attached | always     | the same value again, under a newer version           |
// | Set with a condition     | request_id | the first try may have made the condition fail        |
// | Set, return_previous     | request_id | the second try would return what the first one wrote  |
// | Incr                     | request_id | it would count twice                                  |
// | MSet                     | depends    | if each of its entries is                             |
// | Delete, MDelete          | never      | the second try would answer that nothing was there    |
// | Publish                  | never      | subscribers would get the message twice               |
// | Flush                    | never      | it would delete what was written in between           |
// | SetConfig                | never      | the second try would return the first as what was     |
// | PutPolicy                | never      | it would be told that another was put meanwhile       |
// | ResetSlowLog             | never      | it would forget what was logged in between            |
//
// An id makes a repetition safe for 60 s only, the server's window; deadlines are far shorter.

#include "ferrite/internal/v1/standard.pb.h"
#include "ferrite/v1/admin.pb.h"
#include "ferrite/v1/cache.pb.h"

namespace ferrite {

bool IsRepeatable(const v1::SetRequest& request);
bool IsRepeatable(const v1::MSetRequest& request);
inline bool IsRepeatable(const v1::IncrRequest& request) { return !request.request_id().empty(); }

inline bool IsRepeatable(const v1::GetRequest&) { return true; }
inline bool IsRepeatable(const v1::MGetRequest&) { return true; }
inline bool IsRepeatable(const v1::ExistsRequest&) { return true; }
inline bool IsRepeatable(const v1::ScanRequest&) { return true; }
inline bool IsRepeatable(const v1::TouchRequest&) { return true; }
inline bool IsRepeatable(const v1::InfoRequest&) { return true; }
inline bool IsRepeatable(const v1::StatsRequest&) { return true; }
inline bool IsRepeatable(const v1::SlowLogRequest&) { return true; }
inline bool IsRepeatable(const v1::GetConfigRequest&) { return true; }
inline bool IsRepeatable(const v1::WhoAmIRequest&) { return true; }
inline bool IsRepeatable(const v1::CanRequest&) { return true; }
inline bool IsRepeatable(const v1::GetPolicyRequest&) { return true; }
inline bool IsRepeatable(const v1::IssueTokenRequest&) { return true; }
inline bool IsRepeatable(const internal::v1::HealthCheckRequest&) { return true; }

inline bool IsRepeatable(const v1::DeleteRequest&) { return false; }
inline bool IsRepeatable(const v1::MDeleteRequest&) { return false; }
inline bool IsRepeatable(const v1::PublishRequest&) { return false; }
inline bool IsRepeatable(const v1::FlushRequest&) { return false; }
inline bool IsRepeatable(const v1::ResetSlowLogRequest&) { return false; }
inline bool IsRepeatable(const v1::SetConfigRequest&) { return false; }
inline bool IsRepeatable(const v1::PutPolicyRequest&) { return false; }

}  // namespace ferrite
