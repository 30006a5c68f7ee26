using System.Buffers.Binary;
using RaftMq.Kafka.Connections;

namespace RaftMq.Server.Tests.Listeners;

/// <summary>Size, correlation, payload, in two buffers.</summary>
internal sealed class TestResponse : KafkaResponse
{
    private readonly TestSessions _owner;
    private readonly ReadOnlyMemory<byte>[] _buffers;
    private int _disposed;

    public TestResponse(TestSessions owner, int correlation, ReadOnlyMemory<byte> payload)
    {
        _owner = owner;
        byte[] head = new byte[8];
        BinaryPrimitives.WriteInt32BigEndian(head, 4 + payload.Length);
        BinaryPrimitives.WriteInt32BigEndian(head.AsSpan(4), correlation);
        _buffers = [head, payload];
        LengthBytes = 8 + payload.Length;
        Interlocked.Increment(ref owner.LiveResponses);
    }

    public override IReadOnlyList<ReadOnlyMemory<byte>> Buffers => _buffers;

    public override long LengthBytes { get; }

    public override void Dispose()
    {
        Assert.Equal(0, Interlocked.Exchange(ref _disposed, 1));
        Interlocked.Decrement(ref _owner.LiveResponses);
    }
}
