// What is said about a command line without --application-module.
#pragma once

#include <string>
#include <vector>

namespace machida {

// What should have been written. words: those that are no options of the server, in order. doubts:
// what is already known about them (Options::doubts).
std::string missing_module(const std::vector<std::string>& words,
                           const std::vector<std::string>& doubts);

}  // namespace machida
