#include "server/kafka/partitions.h"

#include <algorithm>

#include "server/kafka/handles.h"

namespace machida::kafka {
namespace {

using TopicPtr = CPtr<rd_kafka_topic_t, rd_kafka_topic_destroy>;

PartitionsFound failed(rd_kafka_resp_err_t error) {
  PartitionsFound out;
  out.error = rd_kafka_err2str(error);
  out.trouble = kind_of_error(error);
  if (error == RD_KAFKA_RESP_ERR__TRANSPORT || error == RD_KAFKA_RESP_ERR__TIMED_OUT)
    out.trouble = Trouble::kBrokers;
  return out;
}

class Search {
 public:
  Search(rd_kafka_t* client, const std::string& topic, const std::string& start, int timeout_ms)
      : client_(client), topic_(topic), start_(start), timeout_ms_(timeout_ms) {}

  PartitionsFound run(const Positions& known, bool check_known) {
    if (!check_known) out_.positions = known;
    std::int32_t partitions = 0;
    const int error = count_partitions(client_, topic_, timeout_ms_, partitions);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return failed(static_cast<rd_kafka_resp_err_t>(error));
    const PartitionsPtr fresh(rd_kafka_topic_partition_list_new(partitions));
    for (std::int32_t p = 0; p < partitions; ++p) {
      const auto position = known.find(p);
      if (position == known.end())
        rd_kafka_topic_partition_list_add(fresh.get(), topic_.c_str(), p);
      else if (check_known && !keep(p, position->second))
        return failed(error_);
    }
    if (fresh->cnt > 0 && !find(*fresh)) return out_.lacks_offset ? out_ : failed(error_);
    return out_;
  }

 private:
  // Where the brokers' part of the log begins and ends.
  bool ask(std::int32_t partition, std::int64_t& low, std::int64_t& high) {
    error_ = rd_kafka_query_watermark_offsets(client_, topic_.c_str(), partition, &low, &high,
                                              timeout_ms_);
    return error_ == RD_KAFKA_RESP_ERR_NO_ERROR;
  }

  bool keep(std::int32_t partition, std::int64_t position) {
    std::int64_t low = 0, high = 0;
    if (!ask(partition, low, high)) return false;
    if (position < low)
      out_.gone.push_back("partition " + std::to_string(partition) + " has lost its messages " +
                          std::to_string(position) + " to " + std::to_string(low - 1) +
                          " before they were processed");
    if (position > high)
      out_.gone.push_back("partition " + std::to_string(partition) + " ends at " +
                          std::to_string(high) + ", before the position " +
                          std::to_string(position) + ": it is read from its beginning");
    out_.positions[partition] = position > high ? low : std::max(position, low);
    return true;
  }

  bool find(rd_kafka_topic_partition_list_t& fresh) {
    error_ = rd_kafka_committed(client_, &fresh, timeout_ms_);
    if (error_ != RD_KAFKA_RESP_ERR_NO_ERROR) return false;
    for (int i = 0; i < fresh.cnt; ++i) {
      const rd_kafka_topic_partition_t& partition = fresh.elems[i];
      std::int64_t low = partition.offset, high = partition.offset;
      if (partition.offset < 0 && start_ == "error") {
        out_.error = "partition " + std::to_string(partition.partition) +
                     " has no committed offset to start from";
        out_.lacks_offset = true;
        return false;
      }
      if (partition.offset < 0 && !ask(partition.partition, low, high)) return false;
      out_.positions[partition.partition] = start_ == "latest" ? high : low;
    }
    return true;
  }

  rd_kafka_t* client_;
  const std::string& topic_;
  const std::string& start_;
  int timeout_ms_;
  rd_kafka_resp_err_t error_ = RD_KAFKA_RESP_ERR_NO_ERROR;
  PartitionsFound out_;
};

}  // namespace

int count_partitions(rd_kafka_t* client, const std::string& topic, int timeout_ms,
                     std::int32_t& partitions) {
  const TopicPtr handle(rd_kafka_topic_new(client, topic.c_str(), nullptr));
  if (!handle) return rd_kafka_last_error();
  const rd_kafka_metadata_t* metadata = nullptr;
  rd_kafka_resp_err_t error = rd_kafka_metadata(client, 0, handle.get(), &metadata, timeout_ms);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return error;
  error =
      metadata->topic_cnt == 1 ? metadata->topics[0].err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
  partitions = metadata->topic_cnt == 1 ? metadata->topics[0].partition_cnt : 0;
  rd_kafka_metadata_destroy(metadata);
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR && partitions == 0)
    return RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
  return error;
}

PartitionsFound find_partitions(rd_kafka_t* client, const std::string& topic,
                                const std::string& start, const Positions& known, bool check_known,
                                int timeout_ms) {
  return Search(client, topic, start, timeout_ms).run(known, check_known);
}

}  // namespace machida::kafka
