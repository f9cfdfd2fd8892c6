#include "server/near_word.h"

#include <algorithm>
#include <cctype>

namespace machida {
namespace {

constexpr std::size_t kLongWord = 8;

std::string folded(const std::string& word) {
  std::string out = word.substr(std::min(word.find_first_not_of('-'), word.size()));
  for (char& c : out) c = c == '_' ? '-' : static_cast<char>(std::tolower(static_cast<int>(c)));
  return out;
}

}  // namespace

std::size_t letters_apart(const std::string& a, const std::string& b) {
  // rows[i][j]: between the first i letters of a and the first j of b.
  std::vector<std::vector<std::size_t>> rows(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) rows[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) rows[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = rows[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      rows[i][j] = std::min({changed, rows[i - 1][j] + 1, rows[i][j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        rows[i][j] = std::min(rows[i][j], rows[i - 2][j - 2] + 1);
    }
  }
  return rows[a.size()][b.size()];
}

std::string near_word(const std::string& word, const std::vector<std::string>& known) {
  const std::string wanted = folded(word);
  std::string best;
  std::size_t best_apart = wanted.size() < kLongWord ? 2 : 3;  // the first number that is too far
  for (const std::string& each : known) {
    const std::size_t apart = letters_apart(wanted, folded(each));
    if (apart >= best_apart) continue;
    best = each;
    best_apart = apart;
  }
  return best;
}

}  // namespace machida
