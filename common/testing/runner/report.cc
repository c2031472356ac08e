#include "common/testing/runner/report.h"

#include <algorithm>
#include <sstream>

namespace graded {
namespace {

constexpr std::size_t kWidth = 80;

// Words of `text` in lines of at most `width`, each after `indent`.
std::string wrapped(const std::string& text, const std::string& indent) {
  std::string out, line;
  for (const std::string& paragraph : split(text, '\n')) {
    for (const std::string& word : split(paragraph, ' ')) {
      if (!line.empty() &&
          indent.size() + line.size() + 1 + word.size() > kWidth) {
        out += indent + line + "\n";
        line.clear();
      }
      line += (line.empty() ? "" : " ") + word;
    }
    if (!line.empty()) out += indent + line + "\n";
    line.clear();
  }
  return out;
}

bool begins(const std::string& text, std::string_view with) {
  return text.rfind(with, 0) == 0;
}

// A failure as GoogleTest words it, taken apart.
struct Said {
  std::string value;  // what was compared, as the test writes it
  std::string notes;  // the sentences
};

Said said(const Failure& failure) {
  Said out;
  std::vector<std::string> lines = split(failure.message, '\n');
  bool compared = !failure.expected.empty() || !failure.actual.empty();
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::string line = lines[i];
    if (compared && i == 0 && line.find(", expected ") != std::string::npos) {
      std::size_t end = line.find(" is ");
      if (end != std::string::npos) {
        out.value = line.substr(0, end);
        continue;
      }
    }
    if (begins(line, "Value of: ") || line == "Expected: true") continue;
    if (begins(line, "  Actual: false")) {
      std::size_t open = line.find('('), close = line.rfind(')');
      if (open == std::string::npos) {
        line.clear();
      } else {
        line = line.substr(
            open + 1, close == std::string::npos ? close : close - open - 1);
      }
    }
    if (line == ")" || line.empty()) continue;
    out.notes += line + "\n";
  }
  return out;
}

std::string columns(const Failure& failure) {
  const auto& expected = failure.expected;
  const auto& actual = failure.actual;
  if (expected.size() <= 1 && actual.size() <= 1) {
    auto one = [](const auto& lines) {
      return lines.empty() ? std::string("nothing") : lines[0];
    };
    return "  expected   " + cleaned(one(expected)) + "\n" + "  happened   " +
           cleaned(one(actual)) + "\n";
  }
  std::size_t width = 10;
  for (const std::string& line : expected)
    width = std::min<std::size_t>(std::max(width, line.size()), 34);
  std::ostringstream out;
  auto row = [&](const std::string& mark, const std::string& left,
                 const std::string& right) {
    std::string l =
        left.size() > width ? left.substr(0, width - 2) + ".." : left;
    out << "  " << std::string(3 - mark.size(), ' ') << mark << "  " << l
        << std::string(width - l.size(), ' ') << "  " << right << "\n";
  };
  row("", "expected", "happened");
  bool differs = false;
  for (std::size_t i = 0; i < std::max(expected.size(), actual.size()); ++i) {
    std::string e = i < expected.size() ? cleaned(expected[i]) : "(nothing)";
    std::string a = i < actual.size() ? cleaned(actual[i]) : "(nothing)";
    bool first = e != a && !differs;
    differs = differs || first;
    row(first ? ">" : std::to_string(i + 1), e, a);
  }
  return out.str();
}

std::string time_line(const std::vector<Step>& steps, bool by_actor) {
  if (steps.empty()) return {};
  std::vector<Step> shown = steps;
  if (by_actor) {
    // Where a call returned depends on the others: it is whole again.
    std::erase_if(shown, [](auto& s) { return s.part == Step::kResumed; });
    for (Step& step : shown) step.part = Step::kWhole;
    std::stable_sort(shown.begin(), shown.end(),
                     [](auto& a, auto& b) { return a.who < b.who; });
  }
  std::ostringstream out;
  out << "  What both ends did, in the order it happened\n"
      << "      your code                          the other end\n";
  int number = 0;
  for (const Step& step : shown) {
    std::string what = cleaned(step.text());
    if (step.who.empty()) {
      out << "      ... (" << step.times << " more)\n";
      continue;
    }
    if (step.times > 1) what += "  x" + std::to_string(step.times);
    std::string count = std::to_string(++number);
    out << std::string(4 - std::min<std::size_t>(count.size(), 4), ' ') << count
        << "  ";
    if (step.who == "you")
      out << what << "\n";
    else
      out << std::string(35, ' ') << step.who << " " << what << "\n";
  }
  return out.str();
}

// GoogleTest has lines of its own on the way to the tests.
std::string output_tail(const Outcome& outcome) {
  std::string kept;
  for (const std::string& line : split(outcome.output, '\n'))
    if (!line.empty() && !begins(line, "Note: Google Test filter"))
      kept += line + "\n";
  if (kept.size() > 1500) kept = "...\n" + kept.substr(kept.size() - 1500);
  return cleaned(kept);
}

// "no end within 5 s" as a sentence.
std::string sentence(std::string text) {
  if (text.empty()) return text;
  text[0] =
      static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return text + ".";
}

std::string xml_escaped(std::string_view text) {
  std::string out;
  for (char c : cleaned(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\n':
        out += "&#x0A;";
        break;
      case '\t':
        out += "&#x09;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string json_string(std::string_view text) {
  static const char* hex = "0123456789abcdef";
  std::string out = "\"";
  for (unsigned char c : text) {
    if (c == '"' || c == '\\') {
      (out += '\\') += static_cast<char>(c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c < 0x20) {
      ((out += "\\u00") += hex[c >> 4]) += hex[c & 15];
    } else {
      out += static_cast<char>(c);
    }
  }
  return out + '"';
}

std::string json_lines(const std::vector<std::string>& lines) {
  std::string out = "[";
  for (std::size_t i = 0; i < lines.size(); ++i)
    out += (i ? ", " : "") + json_string(cleaned(lines[i]));
  return out + "]";
}

// Nothing for a learner's own run.
std::string integrity_json(const Run& run) {
  const Integrity& integrity = run.integrity;
  if (!integrity.checked) return {};
  return " \"flags\": " + json_lines(run.flags()) +
         ",\n \"unsteady\": " + json_lines(integrity.unsteady) +
         ",\n \"hidden_seed\": " +
         (run.hidden_seed.empty() ? "0" : run.hidden_seed) +
         ",\n \"guessed\": " +
         json_lines({integrity.guessed.begin(), integrity.guessed.end()}) +
         ",\n \"confirmed\": " + json_lines(integrity.confirmed) + ",\n";
}

}  // namespace

bool Run::passed(const Rule& rule) const {
  bool any = false;
  for (std::size_t i = 0; i < tests.size(); ++i) {
    if (tests[i].rule != rule.id) continue;
    any = true;
    if (outcomes[i].verdict != Verdict::kPass) return false;
  }
  return any;
}

int Run::points() const {
  int sum = 0;
  for (const Rule& rule : rubric.rules) sum += passed(rule) ? rule.points : 0;
  return sum;
}

std::vector<std::string> Run::flags() const {
  std::vector<std::string> found = integrity.refused;
  if (!integrity.forged.empty())
    found.push_back("forges verdicts: " + integrity.forged);
  for (std::size_t i = 0; i < tests.size(); ++i)
    if (outcomes[i].verdict == Verdict::kUnconfirmed)
      found.push_back("passes in its own eyes only: " + tests[i].name);
  found.insert(found.end(), integrity.flags.begin(), integrity.flags.end());
  return found;
}

std::string cleaned(std::string_view text) {
  static const char* hex = "0123456789abcdef";
  constexpr std::size_t kMost = 16 * 1024;
  std::string out;
  for (unsigned char c : text.substr(0, kMost)) {
    if (c == '\n' || c == '\t' || (c >= 0x20 && c < 0x7f))
      out += static_cast<char>(c);
    else
      ((out += "\\x") += hex[c >> 4]) += hex[c & 15];
  }
  if (text.size() > kMost) out += "\n... (cut)";
  return out;
}

std::string failure_text(const Run& run, std::size_t index, bool by_actor) {
  const Test& test = run.tests[index];
  const Outcome& outcome = run.outcomes[index];
  const Rule& rule = run.rubric.rule(test.rule);
  std::ostringstream out;
  out << "FAIL  " << rule.id << "  (" << rule.points << " points, step "
      << rule.step << ")\n"
      << wrapped(rule.text, "  ") << "\n";
  std::string todo = outcome.todo();
  if (!todo.empty()) {
    out << "  Step " << todo << " is still to do.";
    for (const Failure& failure : outcome.failures) {
      std::string note = said(failure).notes;
      std::size_t at = note.find("TODO " + todo + ": ");
      if (at == std::string::npos) continue;
      out << "\n" << wrapped(cleaned(note.substr(at)), "  ");
      break;
    }
    out << "\n";
  } else {
    if (outcome.verdict != Verdict::kFail || outcome.failures.empty())
      out << wrapped(sentence(cleaned(outcome.why)), "  ") << "\n";
    constexpr std::size_t kMostFailures = 2;
    std::size_t shown = std::min(outcome.failures.size(), kMostFailures);
    for (std::size_t i = 0; i < shown; ++i) {
      const Failure& failure = outcome.failures[i];
      Said words = said(failure);
      if (!words.value.empty())
        out << "  value      " << cleaned(words.value) << "\n";
      if (!failure.expected.empty() || !failure.actual.empty())
        out << columns(failure);
      out << wrapped(cleaned(words.notes), "  ") << "\n";
    }
    if (std::size_t more = outcome.failures.size() - shown; more > 0)
      out << "  (" << more << " more check" << (more > 1 ? "s" : "")
          << " of this test failed.)\n\n";
    std::string line = time_line(outcome.steps, by_actor);
    if (!line.empty()) out << line << "\n";
    std::string printed = output_tail(outcome);
    if (!printed.empty())
      out << "  What the code printed\n" << wrapped(printed, "    ") << "\n";
  }
  out << "  Read   chapters/" << run.rubric.chapter
      << "/README.md:" << rule.line << ", step " << rule.step << "\n"
      << "  Test   " << test.file << ":" << test.line << "\n"
      << "  Hint   ./course hint " << (todo.empty() ? rule.step : todo) << "\n";
  return out.str();
}

std::string summary_text(const Run& run) {
  std::ostringstream out;
  bool first = true;
  for (const Rule& rule : run.rubric.rules) {
    if (run.passed(rule)) continue;
    for (std::size_t i = 0; i < run.tests.size(); ++i) {
      if (run.tests[i].rule != rule.id ||
          run.outcomes[i].verdict == Verdict::kPass)
        continue;
      if (first) out << failure_text(run, i, false) << "\n";
      first = false;
      break;
    }
  }
  out << run.rubric.chapter << " (" << run.implementation << ")\n";
  for (const Rule& rule : run.rubric.rules) {
    std::string why, todo;
    bool ran = false;
    for (std::size_t i = 0; i < run.tests.size(); ++i) {
      if (run.tests[i].rule != rule.id) continue;
      ran = true;
      if (run.outcomes[i].verdict == Verdict::kPass || !why.empty()) continue;
      todo = run.outcomes[i].todo();
      why = todo.empty() ? cleaned(run.outcomes[i].why) : "TODO " + todo;
    }
    if (!ran) continue;
    std::string line =
        "  " + std::string(why.empty() ? "ok    " : "FAIL  ") + rule.id +
        std::string(12 - std::min<std::size_t>(rule.id.size(), 11), ' ') + why;
    out << line.substr(0, kWidth) << "\n";
  }
  out << run.points() << " of 100 points, seed " << run.seed << "\n";
  return out.str();
}

std::string junit_xml(const Run& run) {
  std::size_t failures = 0;
  for (const Outcome& outcome : run.outcomes)
    failures += outcome.verdict != Verdict::kPass;
  std::ostringstream out;
  out << "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      << "<testsuites tests=\"" << run.tests.size() << "\" failures=\""
      << failures << "\" disabled=\"0\" errors=\"0\" name=\"AllTests\">\n"
      << "  <testsuite name=\"" << xml_escaped(run.rubric.chapter)
      << "\" tests=\"" << run.tests.size() << "\" failures=\"" << failures
      << "\" disabled=\"0\" skipped=\"0\" errors=\"0\">\n";
  for (std::size_t i = 0; i < run.tests.size(); ++i) {
    const Test& test = run.tests[i];
    const Outcome& outcome = run.outcomes[i];
    std::size_t dot = test.name.find('.');
    out << "    <testcase name=\"" << xml_escaped(test.name.substr(dot + 1))
        << "\" classname=\"" << xml_escaped(test.name.substr(0, dot))
        << "\" file=\"" << xml_escaped(test.file) << "\" line=\"" << test.line
        << "\" status=\"run\" result=\"completed\" time=\""
        << static_cast<double>(outcome.milliseconds) / 1000 << "\">\n"
        << "      <properties><property name=\"rule\" value=\""
        << xml_escaped(test.rule) << "\"/></properties>\n";
    if (outcome.verdict != Verdict::kPass)
      out << "      <failure type=\"" << verdict_name(outcome.verdict)
          << "\" message=\"" << xml_escaped(test.file) << ":" << test.line
          << "&#x0A;" << xml_escaped(failure_text(run, i, false))
          << "\"></failure>\n";
    out << "    </testcase>\n";
  }
  out << "  </testsuite>\n</testsuites>\n";
  return out.str();
}

std::string graded_json(const Run& run) {
  std::ostringstream out;
  auto s = json_string;
  out << "{\"schema\": 1, \"chapter\": " << s(run.rubric.chapter)
      << ", \"implementation\": " << s(run.implementation)
      << ", \"seed\": " << run.seed << ", \"points\": " << run.points()
      << ", \"max_points\": 100,\n \"rules\": [";
  const char* comma = "\n";
  for (const Rule& rule : run.rubric.rules) {
    bool passed = run.passed(rule);
    out << comma << "  {\"id\": " << s(rule.id)
        << ", \"text\": " << s(rule.text) << ", \"step\": " << s(rule.step)
        << ", \"points\": " << (passed ? rule.points : 0)
        << ", \"max_points\": " << rule.points
        << ", \"verdict\": " << s(passed ? "PASS" : "FAIL") << ", \"tests\": [";
    const char* between = "";
    for (const Test& test : run.tests)
      if (test.rule == rule.id) {
        out << between << s(test.name);
        between = ", ";
      }
    out << "]}";
    comma = ",\n";
  }
  out << "],\n" << integrity_json(run) << " \"tests\": [";
  comma = "\n";
  for (std::size_t i = 0; i < run.tests.size(); ++i) {
    const Test& test = run.tests[i];
    const Outcome& outcome = run.outcomes[i];
    bool passed = outcome.verdict == Verdict::kPass;
    out << comma << "  {\"name\": " << s(test.name)
        << ", \"rule\": " << s(test.rule)
        << ", \"step\": " << s(run.rubric.rule(test.rule).step)
        << ", \"verdict\": " << s(verdict_name(outcome.verdict))
        << ", \"ms\": " << outcome.milliseconds
        << ", \"file\": " << s(test.file) << ", \"line\": " << test.line
        << ", \"why\": " << s(cleaned(outcome.why))
        << ", \"todo\": " << s(outcome.todo()) << ",\n   \"failures\": [";
    const char* between = "";
    for (const Failure& failure : outcome.failures) {
      Said words = said(failure);
      out << between << "{\"file\": " << s(cleaned(failure.file))
          << ", \"line\": " << s(cleaned(failure.line))
          << ", \"message\": " << s(cleaned(failure.message))
          << ", \"value\": " << s(cleaned(words.value))
          << ", \"notes\": " << s(cleaned(words.notes))
          << ", \"expected\": " << json_lines(failure.expected)
          << ", \"actual\": " << json_lines(failure.actual) << "}";
      between = ", ";
    }
    out << "],\n   \"steps\": [";
    between = "";
    for (const Step& step : outcome.steps) {
      out << between << "{\"who\": " << s(step.who)
          << ", \"what\": " << s(cleaned(step.text()))
          << ", \"times\": " << step.times << "}";
      between = ", ";
    }
    out << "],\n   \"output\": " << s(output_tail(outcome))
        << ", \"text\": " << s(passed ? "" : failure_text(run, i, false))
        << "}";
    comma = ",\n";
  }
  out << "]}\n";
  return out.str();
}

}  // namespace graded
