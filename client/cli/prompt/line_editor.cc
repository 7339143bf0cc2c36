#include "client/cli/prompt/line_editor.h"

#include <histedit.h>

#include <algorithm>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cli/output.h"
#include "client/cli/terminal.h"

namespace ferrite::cli {
namespace {

constexpr int kMostLines = 1000;

volatile std::sig_atomic_t line_interrupted = 0;

void OnInterrupt(int) { line_interrupted = 1; }

// SIGINT sets `line_interrupted` while one exists.
class InterruptCatcher {
 public:
  InterruptCatcher() {
    line_interrupted = 0;
    struct sigaction action = {};
    action.sa_handler = OnInterrupt;  // not restarting, so that the library stops reading
    sigaction(SIGINT, &action, &before_);
  }
  ~InterruptCatcher() { sigaction(SIGINT, &before_, nullptr); }

 private:
  struct sigaction before_;
};

std::string CommonBeginning(const std::vector<std::string>& words) {
  std::string common = words.front();
  for (const std::string& word : words) {
    const auto [end, unused] =
        std::mismatch(common.begin(), common.end(), word.begin(), word.end());
    common.erase(end, common.end());
  }
  return common;
}

// Prints the words below the line, in columns.
void PrintOffers(const std::vector<std::string>& words) {
  size_t widest = 0;
  for (const std::string& word : words) widest = std::max(widest, word.size());
  const auto columns = static_cast<size_t>(OutputSize().value_or(TerminalSize()).columns);
  const size_t per_line = std::max<size_t>(1, columns / (widest + 2));
  std::string text = "\n";
  for (size_t i = 0; i < words.size(); ++i) {
    const bool last = (i + 1) % per_line == 0 || i + 1 == words.size();
    absl::StrAppend(&text, words[i], last ? "\n" : std::string(widest + 2 - words[i].size(), ' '));
  }
  PrintBytes(text);
  FlushOutput();
}

}  // namespace

class LineEditor::Library {
 public:
  Library(std::string prompt, Completer completer)
      : prompt_(std::move(prompt)), completer_(std::move(completer)) {
    std::setlocale(LC_CTYPE, "");  // so that UTF-8 is edited by character
    editor_ = el_init("ferrite", stdin, stdout, stderr);
    history_ = history_init();
    HistEvent event;
    history(history_, &event, H_SETSIZE, kMostLines);
    history(history_, &event, H_SETUNIQUE, 1);
    el_set(editor_, EL_CLIENTDATA, this);
    el_set(editor_, EL_PROMPT, &Library::Prompt);
    el_set(editor_, EL_EDITOR, "emacs");
    el_set(editor_, EL_SIGNAL, 1);
    el_set(editor_, EL_HIST, history, history_);
    el_set(editor_, EL_ADDFN, "ferrite-complete", "Complete the word", &Library::OnComplete);
    el_set(editor_, EL_BIND, "^I", "ferrite-complete", nullptr);
    el_set(editor_, EL_BIND, "^R", "em-inc-search-prev", nullptr);
    el_source(editor_, nullptr);  // what people have set up for all programs like this
  }
  ~Library() {
    history_end(history_);
    el_end(editor_);
  }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  std::optional<Line> Read() {
    const InterruptCatcher catcher;
    int size = 0;
    const char* text = el_gets(editor_, &size);
    if (text == nullptr || size <= 0) {
      if (line_interrupted == 0) return std::nullopt;
      const LineInfo* line = el_line(editor_);
      std::string typed(line->buffer, line->lastchar);
      el_reset(editor_);
      return Line{.text = std::move(typed), .interrupted = true};
    }
    std::string line(text, static_cast<size_t>(size));
    if (line.back() == '\n') line.pop_back();
    return Line{.text = std::move(line)};
  }

  void Remember(const std::string& line) {
    HistEvent event;
    history(history_, &event, H_ENTER, line.c_str());
  }

 private:
  static Library* Of(EditLine* editor) {
    void* library = nullptr;
    el_get(editor, EL_CLIENTDATA, &library);
    return static_cast<Library*>(library);
  }
  static char* Prompt(EditLine* editor) { return Of(editor)->prompt_.data(); }
  static unsigned char OnComplete(EditLine* editor, int) { return Of(editor)->Complete(); }

  unsigned char Complete() {
    const LineInfo* line = el_line(editor_);
    const std::string_view beginning(line->buffer,
                                     static_cast<size_t>(line->cursor - line->buffer));
    const std::vector<std::string> offers = completer_(beginning);
    if (offers.empty()) return CC_ERROR;
    const size_t typed = beginning.size() - (beginning.find_last_of(" \t") + 1);
    std::string more = CommonBeginning(offers).substr(typed);
    if (offers.size() == 1) more += ' ';
    if (!more.empty()) {
      el_insertstr(editor_, more.c_str());
      return CC_REFRESH;
    }
    PrintOffers(offers);
    return CC_REDISPLAY;
  }

  std::string prompt_;
  const Completer completer_;
  EditLine* editor_;
  History* history_;
};

LineEditor::LineEditor(std::string prompt, Completer completer)
    : library_(std::make_unique<Library>(std::move(prompt), std::move(completer))) {}
LineEditor::~LineEditor() = default;

std::optional<LineEditor::Line> LineEditor::Read() { return library_->Read(); }

void LineEditor::Remember(const std::string& line) { library_->Remember(line); }

}  // namespace ferrite::cli
