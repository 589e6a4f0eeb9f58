#pragma once

#include "mysql/binlog/ByteReader.h"

#include <cstdint>

namespace causeway::mysql {

/// Event types of the log that are handled by name. The numbers are the protocol's.
enum class EventType : std::uint8_t {
    Query = 2,
    Stop = 3,
    Rotate = 4,
    IntVar = 5,
    AppendBlock = 9,
    DeleteFile = 11,
    Rand = 13,
    UserVar = 14,
    FormatDescription = 15,
    Xid = 16,
    BeginLoadQuery = 17,
    ExecuteLoadQuery = 18,
    TableMap = 19,
    WriteRowsV1 = 23,
    UpdateRowsV1 = 24,
    DeleteRowsV1 = 25,
    Incident = 26,
    Heartbeat = 27,
    Ignorable = 28,
    RowsQuery = 29,
    WriteRows = 30,
    UpdateRows = 31,
    DeleteRows = 32,
    Gtid = 33,
    AnonymousGtid = 34,
    PreviousGtids = 35,
    TransactionContext = 36,
    ViewChange = 37,
    XaPrepare = 38,
    PartialUpdateRows = 39,
    TransactionPayload = 40,
    HeartbeatV2 = 41,
    TaggedGtid = 42,
    MariaAnnotateRows = 160,
    MariaBinlogCheckpoint = 161,
    MariaGtid = 162,
    MariaGtidList = 163,
    MariaStartEncryption = 164,
    MariaQueryCompressed = 165,
    MariaWriteRowsCompressedV1 = 166,
    MariaUpdateRowsCompressedV1 = 167,
    MariaDeleteRowsCompressedV1 = 168,
    MariaWriteRowsCompressed = 169,
    MariaUpdateRowsCompressed = 170,
    MariaDeleteRowsCompressed = 171,
};

struct EventHeader {
    static constexpr std::size_t size = 19;
    static constexpr std::uint16_t inUseFlag = 0x01;
    static constexpr std::uint16_t artificialFlag = 0x20;
    static constexpr std::uint16_t ignorableFlag = 0x80;

    std::uint32_t timestamp = 0;
    EventType type{};
    std::uint32_t serverId = 0;
    std::uint32_t length = 0;
    std::uint32_t endPosition = 0; ///< low 32 bits; 0 in artificial events and inside a payload
    std::uint16_t flags = 0;

    static EventHeader read(ByteReader &r)
    {
        EventHeader h;
        h.timestamp = r.u32();
        h.type = static_cast<EventType>(r.u8());
        h.serverId = r.u32();
        h.length = r.u32();
        h.endPosition = r.u32();
        h.flags = r.u16();
        return h;
    }
};

} // namespace causeway::mysql
