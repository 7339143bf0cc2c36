#include "store/value.h"

#include <algorithm>

namespace ferrite {

void Value::Grow(size_t size) {
  capacity_ = std::max(2 * capacity_, size);
  buffer_.reset(new char[capacity_]);
}

}  // namespace ferrite
