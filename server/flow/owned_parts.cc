#include "server/flow/owned_parts.h"

#include <algorithm>
#include <map>
#include <utility>

namespace machida::flow {

OwnedParts share_out(const std::vector<std::vector<std::string>>& listed, std::uint32_t here) {
  std::map<std::string, std::vector<std::uint32_t>> seen_by;  // name -> processes
  for (std::uint32_t process = 0; process < listed.size(); ++process)
    for (const std::string& name : listed[process]) seen_by[name].push_back(process);

  OwnedParts parts;
  for (const auto& [name, processes] : seen_by) parts.push_back({name, 0});
  std::vector<OwnedPart*> rarest_first;
  for (OwnedPart& part : parts) rarest_first.push_back(&part);
  std::stable_sort(rarest_first.begin(), rarest_first.end(),
                   [&](const OwnedPart* left, const OwnedPart* right) {
                     return seen_by[left->name].size() < seen_by[right->name].size();
                   });

  std::vector<std::uint32_t> parts_of(listed.size() * here);  // by worker
  for (OwnedPart* part : rarest_first) {
    const std::vector<std::uint32_t>& processes = seen_by[part->name];
    part->worker = processes.front() * here;
    for (const std::uint32_t process : processes)
      for (std::uint32_t worker = process * here; worker < (process + 1) * here; ++worker)
        if (parts_of[worker] < parts_of[part->worker]) part->worker = worker;
    ++parts_of[part->worker];
  }
  return parts;
}

}  // namespace machida::flow
