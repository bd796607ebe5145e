// A robot on Fast DDS, the DDS of ROS 2 unless told otherwise: a battery, twenty times a second for half a minute.
//     g++ fast_dds_robot.cpp -lfastrtps -lfastcdr && ./a.out DOMAIN
#include <fastcdr/Cdr.h>

#include <cstdlib>
#include <fastdds/dds/domain/DomainParticipant.hpp>
#include <fastdds/dds/domain/DomainParticipantFactory.hpp>
#include <fastdds/dds/publisher/DataWriter.hpp>
#include <fastdds/dds/publisher/Publisher.hpp>
#include <fastdds/dds/topic/TopicDataType.hpp>
#include <fastdds/dds/topic/TypeSupport.hpp>
#include <string>
#include <thread>
#include <vector>

using namespace eprosima::fastdds::dds;
using eprosima::fastrtps::rtps::InstanceHandle_t;
using eprosima::fastrtps::rtps::SerializedPayload_t;

struct Battery {
  float volts;
};

// sensor_msgs/BatteryState, as rmw_fastrtps registers it.
class BatteryType : public TopicDataType {
 public:
  BatteryType() {
    setName("sensor_msgs::msg::dds_::BatteryState_");
    m_typeSize = 512;
    m_isGetKeyDefined = false;
    auto_fill_type_information(false);
    auto_fill_type_object(false);
  }
  bool serialize(void* data, SerializedPayload_t* payload) override {
    eprosima::fastcdr::FastBuffer buffer(reinterpret_cast<char*>(payload->data), payload->max_size);
    eprosima::fastcdr::Cdr cdr(buffer, eprosima::fastcdr::Cdr::DEFAULT_ENDIAN, eprosima::fastcdr::Cdr::DDS_CDR);
    payload->encapsulation = CDR_LE;
    cdr.serialize_encapsulation();
    cdr << int32_t{1} << uint32_t{2} << std::string("base_link");
    for (float value : {static_cast<Battery*>(data)->volts, 30.0f, -1.0f, 5.0f, 10.0f, 10.0f, 0.5f}) cdr << value;
    cdr << uint8_t{2} << uint8_t{1} << uint8_t{2} << true;
    cdr << std::vector<float>{4.0f, 4.1f} << std::vector<float>{} << std::string("") << std::string("SN-1");
    payload->length = static_cast<uint32_t>(cdr.getSerializedDataLength());
    return true;
  }
  bool deserialize(SerializedPayload_t*, void*) override { return true; }
  std::function<uint32_t()> getSerializedSizeProvider(void*) override {
    return [] { return 512u; };
  }
  void* createData() override { return new Battery(); }
  void deleteData(void* data) override { delete static_cast<Battery*>(data); }
  bool getKey(void*, InstanceHandle_t*, bool) override { return false; }
};

int main(int, char** arguments) {
  auto* participant = DomainParticipantFactory::get_instance()->create_participant(std::atoi(arguments[1]), PARTICIPANT_QOS_DEFAULT);
  TypeSupport type(new BatteryType());
  type.register_type(participant);
  auto* topic = participant->create_topic("rt/battery_state", type.get_type_name(), TOPIC_QOS_DEFAULT);
  DataWriterQos quality = DATAWRITER_QOS_DEFAULT;
  quality.endpoint().history_memory_policy = eprosima::fastrtps::rtps::PREALLOCATED_WITH_REALLOC_MEMORY_MODE;
  auto* writer = participant->create_publisher(PUBLISHER_QOS_DEFAULT)->create_datawriter(topic, quality);
  Battery battery{24.5f};
  for (int count = 0; count < 600; ++count) {
    writer->write(&battery);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}
