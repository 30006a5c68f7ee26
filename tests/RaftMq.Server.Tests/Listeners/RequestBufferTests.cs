using RaftMq.Server.Listeners;

namespace RaftMq.Server.Tests.Listeners;

public sealed class RequestBufferTests
{
    [Fact]
    public async Task Large_request_in_small_pieces_moves_the_buffer_a_few_times_only()
    {
        var memory = new RequestMemory(64 << 20);
        using var buffer = new RequestBuffer(memory, TimeSpan.FromSeconds(1));
        const int Whole = 20 << 20;
        int moves = 0;
        long before = -1;
        int received = 0;
        while (received < Whole)
        {
            Assert.True(await buffer.MakeRoomAsync(Whole, TestContext.Current.CancellationToken));
            Memory<byte> free = buffer.Free;
            long capacity = received + free.Length;
            Assert.True(capacity <= Math.Max(128 << 10, Math.Max(received * 4L, 1)));
            moves += capacity == before ? 0 : 1;
            before = capacity;
            int piece = Math.Min(Math.Min(7001, free.Length), Whole - received);
            for (int i = 0; i < piece; i++)
            {
                free.Span[i] = (byte)((received + i) * 31);
            }

            buffer.Received(piece);
            received += piece;
        }

        Assert.InRange(moves, 1, 12);
        ReadOnlyMemory<byte> frame = buffer.Frame(0, Whole);
        for (int i = 0; i < Whole; i++)
        {
            if (frame.Span[i] != (byte)(i * 31))
            {
                Assert.Fail($"byte {i} is not what was received");
            }
        }

        buffer.Consume(Whole);
        buffer.Shrink();
        Assert.True(buffer.IsIdleSized);
        Assert.Equal(0, memory.UsedBytes);
    }

    [Fact]
    public async Task Connection_gets_at_once_what_it_has_sent_before()
    {
        using var buffer = new RequestBuffer(new RequestMemory(64 << 20), TimeSpan.FromSeconds(1));
        for (int round = 0; round < 2; round++)
        {
            int pieces = 0;
            for (int received = 0; received < 1 << 20; pieces++)
            {
                Assert.True(await buffer.MakeRoomAsync(1 << 20, TestContext.Current.CancellationToken));
                int piece = Math.Min(buffer.Free.Length, (1 << 20) - received);
                buffer.Received(piece);
                received += piece;
            }

            Assert.Equal(round == 0, pieces > 1);
            buffer.Consume(1 << 20);
            buffer.Shrink();
        }
    }
}
