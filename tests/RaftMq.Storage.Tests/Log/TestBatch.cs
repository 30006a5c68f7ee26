using System.Buffers.Binary;
using RaftMq.Raft;

namespace RaftMq.Storage.Tests.Log;

/// <summary>Record batches that are whole as far as the store looks: length, CRC, and a body of chance.</summary>
internal static class TestBatch
{
    public static byte[] Make(RandomSource random, int bodyBytes)
    {
        byte[] batch = new byte[61 + bodyBytes];
        for (int i = 21; i < batch.Length; i++)
        {
            batch[i] = (byte)random.NextUInt64();
        }

        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(8), batch.Length - 12);
        batch[16] = 2;
        BinaryPrimitives.WriteUInt32BigEndian(batch.AsSpan(17), Crc32C.Compute(batch.AsSpan(21)));
        return batch;
    }
}
