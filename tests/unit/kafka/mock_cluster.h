// A broker in this process, which fails on demand: librdkafka's mock cluster.
#pragma once

#include <librdkafka/rdkafka.h>
// Needs the one above, and comes after it for that.
#include <librdkafka/rdkafka_mock.h>

#include <stdexcept>
#include <string>

#include "server/kafka/handles.h"

namespace machida::kafka {

class MockCluster {
 public:
  // One broker, with one topic of one partition.
  explicit MockCluster(const std::string& topic) {
    ConfPtr conf(rd_kafka_conf_new());
    rd_kafka_conf_set(conf.get(), "log_level", "0", nullptr, 0);
    char why[512] = "";
    owner_.reset(rd_kafka_new(RD_KAFKA_PRODUCER, conf.get(), why, sizeof why));
    if (!owner_) throw std::runtime_error(why);
    (void)conf.release();  // the client's, now that it exists
    cluster_.reset(rd_kafka_mock_cluster_new(owner_.get(), 1));
    rd_kafka_mock_topic_create(cluster_.get(), topic.c_str(), 1, 1);
  }

  std::string brokers() const { return rd_kafka_mock_cluster_bootstraps(cluster_.get()); }

  // The broker refuses requests to produce as it does when it misses one before them, and those
  // behind it. An idempotent producer can't go on from there.
  void refuse_sequences(bool refuse) {
    constexpr std::int16_t kProduce = 0;  // Kafka's number for such requests
    constexpr int kRequestsMax = 100;
    if (!refuse) return rd_kafka_mock_clear_request_errors(cluster_.get(), kProduce);
    for (int i = 0; i < kRequestsMax; ++i)
      rd_kafka_mock_push_request_errors(cluster_.get(), kProduce, 1,
                                        RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
  }

  void set_reachable(bool reachable) {
    constexpr std::int32_t kBroker = 1;
    if (reachable)
      rd_kafka_mock_broker_set_up(cluster_.get(), kBroker);
    else
      rd_kafka_mock_broker_set_down(cluster_.get(), kBroker);
  }

 private:
  ClientPtr owner_;
  CPtr<rd_kafka_mock_cluster_t, rd_kafka_mock_cluster_destroy> cluster_;
};

}  // namespace machida::kafka
