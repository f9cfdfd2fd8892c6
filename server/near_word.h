// What somebody meant who has mistyped an option.
#pragma once

#include <string>
#include <vector>

namespace machida {

// How many letters must be put in, left out, changed or swapped with their neighbour to make one
// word of the other.
std::size_t letters_apart(const std::string& a, const std::string& b);

// The known word that is spelled most like `word`, or "": one letter may be wrong, two in a word of
// eight or more. Dashes in front, `_` for `-` and the case of letters make no difference.
std::string near_word(const std::string& word, const std::vector<std::string>& known);

}  // namespace machida
