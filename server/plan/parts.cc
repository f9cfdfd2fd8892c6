#include "server/plan/parts.h"

#include "embed/error.h"
#include "embed/value.h"
#include "server/plan/kafka_parts.h"

namespace machida::plan {

using embed::Gil;
using embed::Object;

bool PartReader::wrong(const std::string& place, const std::string& what) {
  mistakes_.add(place + ": " + what);
  return false;
}

Object PartReader::instance(const Gil& gil, const Object& part, const std::string& place) {
  if (!embed::is_class(part)) return part.clone(gil);
  try {
    return embed::call(gil, part);
  } catch (const embed::PythonError& error) {
    wrong(place, "the class " + embed::repr(gil, part, 200) +
                     " can't be called without arguments: " + error.what());
    return embed::none(gil);
  }
}

bool PartReader::method(const Gil& gil, const Object& part, const char* name,
                        const std::string& place, const std::string& role, Object& out) {
  std::optional<Object> found = embed::find_attribute(gil, part, name);
  if (!found || !embed::is_callable(*found)) {
    std::string hint;
    if (embed::is_callable(part) && embed::find_attribute(gil, part, "__code__"))
      hint = "; is its @wallaroo decorator missing?";
    return wrong(place, embed::repr(gil, part, 200) + " is no " + role + ": it has no method " +
                            name + "()" + hint);
  }
  out = std::move(*found);
  return true;
}

std::string PartReader::step_name(const Gil& gil, const Object& part, const std::string& place) {
  const std::optional<Object> method = embed::find_attribute(gil, part, "name");
  if (!method) return "undefined-name";
  try {
    const Object name =
        embed::is_callable(*method) ? embed::call(gil, *method) : method->clone(gil);
    if (embed::is_str(name)) return embed::str(gil, name);
    wrong(place, "name() returned " + embed::repr(gil, name, 200) + ", it must return a str");
  } catch (const embed::PythonError& error) {
    wrong(place, std::string("name() raised ") + error.what());
  }
  return "undefined-name";
}

bool PartReader::address(const Gil& gil, const Object& host, const Object& port,
                         const std::string& place, HostPort& out) {
  if (!embed::is_str(host) || embed::str(gil, host).empty())
    return wrong(place, "the host is " + embed::repr(gil, host, 200) + ", it must be a str");
  Result<std::uint16_t> number = parse_port(embed::str(gil, port));
  if (!number) return wrong(place, number.error());
  out = HostPort{embed::str(gil, host), *number};
  return true;
}

bool PartReader::decoder(const Gil& gil, const Object& part, const std::string& place,
                         DecoderSpec& out) {
  Object header_length;
  if (!method(gil, part, "decode", place, "decoder", out.decode)) return false;
  if (!method(gil, part, "header_length", place, "decoder", header_length)) return false;
  if (!method(gil, part, "payload_length", place, "decoder", out.payload_length)) return false;
  std::int64_t bytes = 0;
  try {
    bytes = embed::integer(gil, embed::call(gil, header_length));
  } catch (const embed::PythonError& error) {
    return wrong(place, std::string("the decoder's header_length() failed: ") + error.what());
  }
  if (bytes < 1 || bytes > static_cast<std::int64_t>(wire::LengthFormat::kHeaderBytesMax))
    return wrong(place, "the decoder's header_length is " + std::to_string(bytes) +
                            ", it must be 1 to 8 bytes");
  out.header_bytes = static_cast<std::size_t>(bytes);
  const std::optional<Object> own = embed::find_attribute(gil, part, "____wallaroo_length_fmt____");
  if (!own || !embed::is_callable(*own)) return true;
  const Object format = embed::call(gil, *own, out.payload_length);
  if (!embed::is_str(format)) return true;
  Result<wire::LengthFormat> parsed =
      wire::LengthFormat::parse(embed::str(gil, format), out.header_bytes);
  if (!parsed) return wrong(place, "the decoder's " + parsed.error());
  out.length_format = *parsed;
  return true;
}

bool PartReader::source(const Gil& gil, const Object& tuple, const std::string& place,
                        SourceSpec& out) {
  if (!embed::is_tuple(tuple))
    return wrong(place, "the source is " + embed::repr(gil, tuple, 200) +
                            ", it must be a source config or its tuple");
  const std::vector<Object> parts = embed::items(gil, tuple);
  const std::string kind = parts.empty() ? "" : embed::str(gil, parts[0]);
  if (kind == "kafka" || kind == "kafka-internal") {
    KafkaSourceSpec& kafka = out.from.emplace<KafkaSourceSpec>();
    return KafkaPartReader(*this).source(gil, parts, place, kafka.settings, out.decoder);
  }
  if (kind != "tcp")
    return wrong(place, "this server has no source of the kind " +
                            (parts.empty() ? "()" : embed::repr(gil, parts[0], 200)));
  if (parts.size() != 4)
    return wrong(place, "a TCP source is (\"tcp\", host, port, decoder), got " +
                            embed::repr(gil, tuple, 200));
  const bool addressed =
      address(gil, parts[1], parts[2], place, out.from.emplace<TcpSourceSpec>().address);
  return decoder(gil, instance(gil, parts[3], place), place, out.decoder) && addressed;
}

bool PartReader::sink(const Gil& gil, const Object& tuple, const std::string& place,
                      SinkSpec& out) {
  if (!embed::is_tuple(tuple))
    return wrong(place, "the sink is " + embed::repr(gil, tuple, 200) +
                            ", it must be a sink config or its tuple");
  const std::vector<Object> parts = embed::items(gil, tuple);
  const std::string kind = parts.empty() ? "" : embed::str(gil, parts[0]);
  if (kind == "kafka" || kind == "kafka-internal") {
    KafkaSinkSpec& kafka = out.to.emplace<KafkaSinkSpec>();
    return KafkaPartReader(*this).sink(gil, parts, place, kafka.settings, out.encode);
  }
  if (kind == "storage") return storage(gil, parts, place, out.to.emplace<StorageSinkSpec>());
  if (kind != "tcp")
    return wrong(place, "this server has no sink of the kind " +
                            (parts.empty() ? "()" : embed::repr(gil, parts[0], 200)));
  if (parts.size() != 4)
    return wrong(
        place, "a TCP sink is (\"tcp\", host, port, encoder), got " + embed::repr(gil, tuple, 200));
  HostPort& to = out.to.emplace<TcpSinkSpec>().address;
  const bool addressed = address(gil, parts[1], parts[2], place, to);
  if (addressed && to.port == 0) return wrong(place, "a sink can't connect to port 0");
  return encoder(gil, parts[3], place, out.encode) && addressed;
}

// What it has beside these is looked at where it is put into the topology (wallaroo.storage).
bool PartReader::storage(const Gil& gil, const std::vector<Object>& tuple, const std::string& place,
                         StorageSinkSpec& out) {
  if (tuple.size() != 2) return wrong(place, "a storage sink is (\"storage\", sink)");
  Object build;
  if (!method(gil, tuple[1], "build_partition", place, "storage sink", build)) return false;
  const std::optional<Object> name = embed::find_attribute(gil, tuple[1], "name");
  if (!name || !embed::is_str(*name))
    return wrong(place, "the storage sink's name must be a str" +
                            (name ? ", got " + embed::repr(gil, *name, 200) : ""));
  out.sink = tuple[1].clone(gil);
  out.name = embed::str(gil, *name);
  out.type = embed::type_name(tuple[1]);
  return true;
}

bool PartReader::predicate(const Gil& gil, const Object& part, const std::string& place,
                           Object& out) {
  if (!embed::is_callable(part))
    return wrong(place, embed::repr(gil, part, 200) + " is no predicate: it can't be called");
  out = part.clone(gil);
  return true;
}

bool PartReader::encoder(const Gil& gil, const Object& part, const std::string& place,
                         Object& out) {
  return method(gil, instance(gil, part, place), "encode", place, "encoder", out);
}

bool PartReader::computation(const Gil& gil, const Object& part, const std::string& place,
                             StepSpec& out) {
  const bool many = embed::find_attribute(gil, part, "compute_multi").has_value();
  out.outputs = many ? Outputs::kMany : Outputs::kOne;
  return method(gil, part, many ? "compute_multi" : "compute", place, "computation", out.compute);
}

bool PartReader::partition(const Gil& gil, const Object& part, const std::string& place,
                           StepSpec& out) {
  return method(gil, instance(gil, part, place), "partition", place, "partition function",
                out.partition);
}

bool PartReader::state(const Gil& gil, const Object& builder, const std::string& place,
                       StateSpec& out) {
  if (embed::is_class(builder) && !embed::find_attribute(gil, builder, "____wallaroo_build____")) {
    out.build = builder.clone(gil);
    out.identity = builder.clone(gil);
    return true;
  }
  const Object object = instance(gil, builder, place);
  std::optional<Object> identity = embed::find_attribute(gil, object, "state_cls");
  if (!identity) identity = embed::find_attribute(gil, object, "__class__");
  out.identity = std::move(*identity);
  for (const char* name : {"____wallaroo_build____", "build"}) {
    std::optional<Object> build = embed::find_attribute(gil, object, name);
    if (!build || !embed::is_callable(*build)) continue;
    out.build = std::move(*build);
    return true;
  }
  if (!embed::is_callable(object))
    return wrong(place, embed::repr(gil, builder, 200) + " is no state class or state builder");
  out.build = object.clone(gil);
  out.identity = object.clone(gil);
  return true;
}

}  // namespace machida::plan
