// What user code forks has the server's sockets and files, and must not go on as a second server:
// an exception that leaves user code there ends the fork, as it would end a Python program.
#pragma once

#include <string>

#include "embed/gil.h"

namespace machida::embed {

// This process runs the server; those that it forks do not.
void note_server_process();

// False while there is none.
bool in_fork_of_server() noexcept;

// `text`: what Python would print, or "". Runs no handlers: they are the server's.
[[noreturn]] void end_fork(const Gil&, const std::string& text, int status);

}  // namespace machida::embed
