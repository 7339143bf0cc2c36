#pragma once

// Lists that run through their elements, so that an element enters and leaves in constant time and
// without memory of its own.

namespace ferrite {

// A place in a circular list: that of an element, which derives from it, or the list's head. Not
// thread-safe.
class Link {
 public:
  Link() = default;
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  Link* next() const { return next_; }
  // In no list; a head: its list is empty.
  bool alone() const { return next_ == this; }

  // Of a head: puts an element that is in no list at the end of this one.
  void Append(Link* element) {
    element->previous_ = previous_;
    element->next_ = this;
    previous_->next_ = element;
    previous_ = element;
  }

  // Takes the element out of its list, if it is in one.
  void Unlink() {
    previous_->next_ = next_;
    next_->previous_ = previous_;
    previous_ = next_ = this;
  }

 private:
  Link* next_ = this;
  Link* previous_ = this;
};

}  // namespace ferrite
