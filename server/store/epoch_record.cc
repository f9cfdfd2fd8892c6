#include "server/store/epoch_record.h"

#include <fmt/core.h>

#include <memory>
#include <string>

#include "server/store/store_error.h"

namespace machida::store {
namespace {

Hash seal_of(const Meta& meta, const EpochRecord& record) {
  Digest digest;
  digest.add_hash(record.content_digest(meta));
  for (const std::int64_t number :
       {std::int64_t{record.closed}, record.time_ms, record.keys, record.bytes, record.first_row})
    digest.add_number(number);
  return digest.take();
}

// Of 32 hexadecimal digits; anything else becomes a hash that nothing matches.
Hash hash_from(std::string_view text) {
  Hash hash;
  if (text.size() != 32) return hash;
  for (std::size_t i = 0; i < 32; ++i) {
    const char c = text[i];
    std::uint64_t digit = 0;
    if (c >= '0' && c <= '9')
      digit = static_cast<std::uint64_t>(c - '0');
    else if (c >= 'a' && c <= 'f')
      digit = static_cast<std::uint64_t>(c - 'a' + 10);
    else
      return {};
    std::uint64_t& half = i < 16 ? hash.high : hash.low;
    half = half << 4 | digit;
  }
  return hash;
}

std::string name_of(const Database& database, std::int64_t epoch) {
  return fmt::format("{}: epoch {}: ", database.path(), epoch);
}

}  // namespace

Hash EpochRecord::content_digest(const Meta& meta) const {
  Digest all;
  all.add_hash(meta.store);
  all.add_number(number);
  all.add_number(keys);
  all.add_hash(digest);
  all.add_hash(positions_digest);
  all.add_hash(outbox_digest);
  return all.take();
}

Hash digest_of(const std::vector<Position>& positions) {
  Digest digest;
  digest.add_number(static_cast<std::int64_t>(positions.size()));
  for (const Position& position : positions) {
    digest.add_bytes(position.source);
    digest.add_bytes(position.part);
    digest.add_number(position.value);
  }
  return digest.take();
}

Hash digest_of(const std::vector<Outbox>& outboxes) {
  Digest digest;
  digest.add_number(static_cast<std::int64_t>(outboxes.size()));
  for (const Outbox& outbox : outboxes) {
    digest.add_bytes(outbox.sink);
    digest.add_number(static_cast<std::int64_t>(outbox.chunks.size()));
    for (const auto& chunk : outbox.chunks) digest.add_bytes(*chunk);
  }
  return digest.take();
}

void insert_record(Database& database, const Meta& meta, const EpochRecord& record) {
  const std::string digest = to_hex(record.digest), positions = to_hex(record.positions_digest),
                    outbox = to_hex(record.outbox_digest), seal = to_hex(seal_of(meta, record));
  database
      .prepare(
          "INSERT INTO epoch(n, closed, time_ms, keys, bytes, first_row, digest, "
          "positions_digest, outbox_digest, seal) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")
      .bind(1, record.number)
      .bind(2, record.closed)
      .bind(3, record.time_ms)
      .bind(4, record.keys)
      .bind(5, record.bytes)
      .bind(6, record.first_row)
      .bind_text(7, digest)
      .bind_text(8, positions)
      .bind_text(9, outbox)
      .bind_text(10, seal)
      .run();
}

void insert_positions(Database& database, const Epoch& epoch) {
  Statement insert = database.prepare(
      "INSERT INTO position(epoch, n, source, part, value) VALUES(?1, ?2, ?3, ?4, ?5)");
  std::int64_t n = 0;
  for (const Position& position : epoch.positions)
    insert.bind(1, epoch.number)
        .bind(2, n++)
        .bind_text(3, position.source)
        .bind_text(4, position.part)
        .bind(5, position.value)
        .run();
}

void insert_outboxes(Database& database, const Epoch& epoch) {
  Statement insert =
      database.prepare("INSERT INTO outbox(epoch, box, sink, chunk) VALUES(?1, ?2, ?3, ?4)");
  insert.bind(1, epoch.number);
  std::int64_t box = 0;
  for (const Outbox& outbox : epoch.outboxes) {
    insert.bind(2, box++).bind_text(3, outbox.sink);
    if (outbox.chunks.empty()) insert.bind_null(4).run();
    for (const auto& chunk : outbox.chunks) insert.bind_blob(4, *chunk).run();
  }
}

void close_record(Database& database, const Meta& meta, EpochRecord& record) {
  EpochRecord closed = record;
  closed.closed = true;
  const std::string seal = to_hex(seal_of(meta, closed));
  database.prepare("UPDATE epoch SET closed=1, seal=?2 WHERE n=?1")
      .bind(1, record.number)
      .bind_text(2, seal)
      .run();
  database.run("DELETE FROM outbox");  // without WHERE: the pages go unread
  record = closed;
}

Records read_records(Database& database, const Meta& meta) {
  Records out;
  try {
    Statement select = database.prepare(
        "SELECT n, closed, time_ms, keys, bytes, first_row, digest, positions_digest, "
        "outbox_digest, seal FROM epoch WHERE n>=?1 ORDER BY n");
    select.bind(1, meta.base);
    std::int64_t expected = meta.base == 0 ? 1 : meta.base;
    while (select.step()) {
      EpochRecord record;
      record.number = select.integer(0);
      record.closed = select.integer(1) != 0;
      record.time_ms = select.integer(2);
      record.keys = select.integer(3);
      record.bytes = select.integer(4);
      record.first_row = select.integer(5);
      record.digest = hash_from(select.bytes(6));
      record.positions_digest = hash_from(select.bytes(7));
      record.outbox_digest = hash_from(select.bytes(8));
      if (record.number != expected) {
        out.damage = name_of(database, expected) + "is missing";
        return out;
      }
      if (hash_from(select.bytes(9)) != seal_of(meta, record)) {
        out.damage = name_of(database, expected) + "its row does not match its seal";
        return out;
      }
      out.records.push_back(record);
      ++expected;
    }
    if (meta.base != 0 && out.records.empty())
      out.damage = name_of(database, meta.base) + "is missing";
  } catch (const StoreError& error) {
    out.damage = error.what();
  }
  return out;
}

std::vector<Position> read_positions(Database& database, const EpochRecord& record) {
  std::vector<Position> positions;
  Statement select =
      database.prepare("SELECT source, part, value FROM position WHERE epoch=?1 ORDER BY n");
  select.bind(1, record.number);
  while (select.step())
    positions.push_back(
        {std::string(select.bytes(0)), std::string(select.bytes(1)), select.integer(2)});
  if (digest_of(positions) != record.positions_digest)
    throw StoreError(name_of(database, record.number) + "its positions do not match their digest");
  return positions;
}

std::vector<Outbox> read_outboxes(Database& database, const EpochRecord& record) {
  std::vector<Outbox> outboxes;
  Statement select =
      database.prepare("SELECT box, sink, chunk FROM outbox WHERE epoch=?1 ORDER BY id");
  select.bind(1, record.number);
  std::int64_t box = -1;
  while (select.step()) {
    if (select.integer(0) != box) {
      box = select.integer(0);
      outboxes.push_back({std::string(select.bytes(1)), {}});
    }
    if (select.type(2) != Statement::Type::kNull)
      outboxes.back().chunks.push_back(std::make_shared<const std::string>(select.bytes(2)));
  }
  if (digest_of(outboxes) != record.outbox_digest)
    throw StoreError(name_of(database, record.number) + "its outbox does not match its digest");
  return outboxes;
}

}  // namespace machida::store
