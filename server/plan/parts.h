// Reads the parts of a topology tuple by duck typing: decoder, encoder, computation, partition,
// state builder, source and sink tuples. A part that is wrong is noted, named by its place.
#pragma once

#include <string>
#include <vector>

#include "embed/gil.h"
#include "embed/object.h"
#include "server/plan/mistakes.h"
#include "server/plan/plan.h"

namespace machida::plan {

class PartReader {
 public:
  explicit PartReader(Mistakes& mistakes) : mistakes_(mistakes) {}

  // Each notes what is wrong under `place` ("pipeline 'p', step 'Split'") and returns false then.
  bool source(const embed::Gil&, const embed::Object& tuple, const std::string& place, SourceSpec&);
  bool sink(const embed::Gil&, const embed::Object& tuple, const std::string& place, SinkSpec&);
  bool predicate(const embed::Gil&, const embed::Object& part, const std::string& place,
                 embed::Object& out);
  // compute or compute_multi; `name` of the step has been read by step_name().
  bool computation(const embed::Gil&, const embed::Object& part, const std::string& place,
                   StepSpec&);
  bool partition(const embed::Gil&, const embed::Object& part, const std::string& place, StepSpec&);
  bool state(const embed::Gil&, const embed::Object& builder, const std::string& place, StateSpec&);

  // The part's name(), or "undefined-name" as in the original.
  std::string step_name(const embed::Gil&, const embed::Object& part, const std::string& place);

  bool encoder(const embed::Gil&, const embed::Object& part, const std::string& place,
               embed::Object& out);
  // The method `name` of `part`, which should be a `role`.
  bool method(const embed::Gil&, const embed::Object& part, const char* name,
              const std::string& place, const std::string& role, embed::Object& out);
  // Notes a mistake; always false.
  bool wrong(const std::string& place, const std::string& what);

  // A class given in place of an object (0.3 style) is called without arguments.
  embed::Object instance(const embed::Gil&, const embed::Object& part, const std::string& place);

 private:
  bool storage(const embed::Gil&, const std::vector<embed::Object>& tuple, const std::string& place,
               StorageSinkSpec&);
  bool address(const embed::Gil&, const embed::Object& host, const embed::Object& port,
               const std::string& place, HostPort&);
  bool decoder(const embed::Gil&, const embed::Object& part, const std::string& place,
               DecoderSpec&);

  Mistakes& mistakes_;
};

}  // namespace machida::plan
