#include "common/testing/runner/outcome.h"

#include <fstream>
#include <regex>
#include <stdexcept>

namespace graded {

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    std::size_t at = text.find(separator);
    parts.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

Rubric Rubric::read(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  Rubric rubric;
  for (std::string line; std::getline(file, line);) {
    std::vector<std::string> f = split(line, '\t');
    if (f[0] == "chapter" && f.size() == 3) {
      rubric.chapter = f[1];
      rubric.title = f[2];
    } else if (f[0] == "rule" && f.size() == 6) {
      rubric.rules.push_back({f[1], std::stoi(f[2]), f[3], f[4], f[5]});
    } else if (f[0] == "test" && f.size() == 5) {
      rubric.tests.push_back({f[1], f[2], f[3], f[4]});
    } else if (f[0] == "confirmation" && f.size() == 2) {
      rubric.confirmations.insert(f[1]);
    } else {
      throw std::runtime_error(path + ": unknown line: " + line);
    }
  }
  return rubric;
}

const Rule& Rubric::rule(std::string_view id) const {
  for (const Rule& rule : rules)
    if (rule.id == id) return rule;
  throw std::runtime_error("no rule " + std::string(id));
}

const char* verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass:
      return "PASS";
    case Verdict::kFail:
      return "FAIL";
    case Verdict::kCrash:
      return "CRASH";
    case Verdict::kTimeout:
      return "TIMEOUT";
    case Verdict::kExit:
      return "EXIT";
    case Verdict::kSkip:
      return "SKIP";
    case Verdict::kMissing:
      return "MISSING";
    case Verdict::kUnconfirmed:
      return "UNCONFIRMED";
    case Verdict::kVoid:
      return "VOID";
  }
  return "";
}

std::string Step::text() const {
  if (part == kWaits) return what + " ...";
  std::string call = what;
  if (part == kResumed) call = "... " + what.substr(0, what.find('('));
  return result.empty() ? call : call + " = " + result;
}

std::string Outcome::todo() const {
  static const std::regex pattern("TODO ([0-9]{2}\\.[0-9]+): ");
  std::smatch match;
  for (const Failure& failure : failures)
    if (std::regex_search(failure.message, match, pattern)) return match[1];
  if (std::regex_search(output, match, pattern)) return match[1];
  return {};
}

}  // namespace graded
