#pragma once

// Lines that are typed on a terminal, with editing, history and completion.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ferrite::cli {

// The words that may stand where `beginning`, the line up to the cursor, ends.
using Completer = std::function<std::vector<std::string>(std::string_view beginning)>;

// While it waits for a line the terminal is in a mode of its own, and otherwise as it was. Only one
// may exist. Not thread-safe.
class LineEditor {
 public:
  LineEditor(std::string prompt, Completer completer);
  ~LineEditor();
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  struct Line {
    std::string text;
    // Ctrl-C ended it; `text` is what was typed by then.
    bool interrupted = false;
  };

  // The next line, without its line feed; absent at the end of the input (Ctrl-D).
  std::optional<Line> Read();

  // Adds a line that the arrow keys bring back.
  void Remember(const std::string& line);

 private:
  class Library;
  const std::unique_ptr<Library> library_;
};

}  // namespace ferrite::cli
