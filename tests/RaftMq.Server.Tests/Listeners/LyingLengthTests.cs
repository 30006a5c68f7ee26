using System.Buffers.Binary;

namespace RaftMq.Server.Tests.Listeners;

[Collection(MemoryMeasured.Name)]
public sealed class LyingLengthTests
{
    [Fact]
    public async Task Lying_lengths_cost_what_was_really_sent()
    {
        await using var listener = new TestListener();
        var clients = new List<TestClient>();
        byte[] start = new byte[1000];
        BinaryPrimitives.WriteInt32BigEndian(start, 100 << 20);
        for (int i = 0; i < 100; i++)
        {
            clients.Add(await listener.ConnectAsync());
        }

        long before = GC.GetTotalMemory(forceFullCollection: true);
        foreach (TestClient client in clients)
        {
            await client.SendBytesAsync(start);
        }

        await Eventually.HoldsAsync(() => listener.Metrics.Connections.Value == 100, () => "not connected");
        Assert.Equal(0, listener.Memory.UsedBytes);
        Assert.True(GC.GetTotalMemory(forceFullCollection: false) - before < 100L * 128 * 1024, "a lie must not cost memory");
        clients.ForEach(client => client.Dispose());
        await listener.ClosedAsync("client", 100);
    }
}
