#include "server/near_word.h"

#include <doctest/doctest.h>

using machida::letters_apart;
using machida::near_word;

TEST_CASE("words are apart by letters put in, left out, changed or swapped") {
  CHECK(letters_apart("", "") == 0);
  CHECK(letters_apart("run", "run") == 0);
  CHECK(letters_apart("rnu", "run") == 1);
  CHECK(letters_apart("worker", "workers") == 1);
  CHECK(letters_apart("", "abc") == 3);
  CHECK(letters_apart("kitten", "sitting") == 3);
  CHECK(letters_apart("sitting", "kitten") == 3);
}

TEST_CASE("the option that was meant is found in spite of a wrong letter or two") {
  const std::vector<std::string> known = {"--workers", "--log-level", "--resilience-dir", "--venv"};
  CHECK(near_word("--worker", known) == "--workers");
  CHECK(near_word("--log_level", known) == "--log-level");
  CHECK(near_word("--Log-Levle", known) == "--log-level");
  CHECK(near_word("-resilience_dri", known) == "--resilience-dir");
  CHECK(near_word("--venb", known) == "--venv");
}

TEST_CASE("options of the application are not taken for mistyped ones") {
  const std::vector<std::string> known = {"--workers", "--log-level", "--check", "--venv"};
  for (const char* word : {"--in", "--out", "-z", "-", "--", "--vehicle", "--words", "--topic",
                           "--kafka_source_topic", "--delay_ms"})
    CHECK_MESSAGE(near_word(word, known) == "", word);
}
