using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using RaftMq.Server.Listeners;

namespace RaftMq.Server.Tests.Listeners;

public sealed class KafkaListenerTests
{
    [Fact]
    public async Task Frames_of_every_size_are_handled_whole_however_they_are_cut()
    {
        await using var listener = new TestListener();
        using TestClient client = await listener.ConnectAsync();
        var random = new Random(3);
        foreach (int size in new[] { 0, 1, 100, 4084, 4085, 4096, 65_536, 70_000, 1 << 20, (4 << 20) + 3, 9_000_000, 5 })
        {
            byte[] payload = new byte[size];
            random.NextBytes(payload);
            byte[] frame = TestClient.Frame(0, size, payload);
            int cut = random.Next(frame.Length);
            Task send = Task.Run(async () =>
            {
                await client.SendBytesAsync(frame.AsMemory(0, cut));
                await client.SendBytesAsync(frame.AsMemory(cut));
            }, TestContext.Current.CancellationToken);

            (int correlation, byte[] echoed) = await client.ReceiveAsync();

            await send;
            Assert.Equal(size, correlation);
            Assert.Equal(payload, echoed);
        }
    }

    [Fact]
    public async Task Pipelined_requests_are_answered_in_their_order_even_when_completed_in_another()
    {
        await using var listener = new TestListener();
        using TestClient client = await listener.ConnectAsync();
        for (int i = 0; i < 10; i++)
        {
            await client.SendAsync(what: (short)(i == 5 ? 3 : 2), i);
        }

        await Eventually.HoldsAsync(() => listener.Sessions.Held.Count == 9, () => $"{listener.Sessions.Held.Count} held");
        foreach (Action release in listener.Sessions.Held.Reverse())
        {
            release();
        }

        var order = new List<int>();
        for (int i = 0; i < 9; i++)
        {
            order.Add((await client.ReceiveAsync()).Correlation);
        }

        Assert.Equal([0, 1, 2, 3, 4, 6, 7, 8, 9], order);
    }

    [Fact]
    public async Task Connection_is_not_read_above_its_requests_in_flight()
    {
        await using var listener = new TestListener(new ListenerLimits { InFlightMax = 4 });
        using TestClient client = await listener.ConnectAsync();
        for (int i = 0; i < 20; i++)
        {
            await client.SendAsync(what: 2, i);
        }

        await Eventually.HoldsAsync(() => listener.Metrics.Paused.Value == 1, () => "never paused");
        Assert.Equal(4, listener.Sessions.Handled);

        for (int i = 0; i < 20; i++)
        {
            Action? release = null;
            await Eventually.HoldsAsync(() => listener.Sessions.Held.TryDequeue(out release), () => $"{i} answered");
            release!();
            Assert.Equal(i, (await client.ReceiveAsync()).Correlation);
            Assert.True(listener.Metrics.InFlight.Value <= 4);
        }
    }

    [Fact]
    public async Task Slow_reader_is_held_back_and_costs_no_more_than_its_limit()
    {
        await using var listener = new TestListener(new ListenerLimits { ResponseBytesMax = 4 << 20 });
        using TestClient client = await listener.ConnectAsync();
        byte[] megabyte = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(megabyte, 1 << 20);
        Task send = Task.Run(async () =>
        {
            for (int i = 0; i < 100; i++)
            {
                await client.SendAsync(what: 1, i, megabyte);
            }
        }, TestContext.Current.CancellationToken);

        await send;

        // Until the kernel's buffers are full the connection goes on; then it stands.
        await Eventually.HoldsAsync(
            () => listener.Metrics.Paused.Value > 0 && listener.Metrics.ResponseBytes.Value > 4 << 20,
            () => $"{listener.Metrics.Paused.Value} pauses, {listener.Metrics.ResponseBytes.Value} bytes");
        Assert.InRange(listener.Metrics.ResponseBytes.Value, 4 << 20, 6 << 20);
        Assert.InRange(listener.Sessions.Handled, 4, 60);

        for (int i = 0; i < 100; i++)
        {
            (int correlation, byte[] payload) = await client.ReceiveAsync();
            Assert.Equal(i, correlation);
            Assert.Equal(1 << 20, payload.Length);
        }
    }

    /// <summary>A few records of the tail keep the whole block that they lie in. Red before: all 60 were taken in and held 60 MiB at a limit of 16.</summary>
    [Fact]
    public async Task Small_parts_of_large_memory_count_as_the_memory_that_they_hold()
    {
        await using var listener = new TestListener(new ListenerLimits { ResponseBytesMax = 16 << 20 });
        using TestClient client = await listener.ConnectAsync();
        byte[] large = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(large, 10 << 20);
        await client.SendAsync(what: 1, 0, large);
        for (int i = 1; i <= 60; i++)
        {
            await client.SendAsync(what: 7, i);
        }

        await Eventually.HoldsAsync(() => listener.Metrics.Paused.Value > 0, () => $"{listener.Sessions.Handled} handled");

        Assert.InRange(listener.Metrics.ResponseBytes.Value, 16 << 20, 18 << 20);

        // It is the one that has most; one that has nothing does not hide it.
        using TestClient other = await listener.ConnectAsync();
        await Eventually.HoldsAsync(() => listener.Metrics.Connections.Value == 2, () => "one connection");
        Assert.Equal((listener.Metrics.InFlight.Value, listener.Metrics.ResponseBytes.Value), listener.Listener.MostUsed);
        Assert.InRange(listener.Sessions.Handled, 2, 20);
        for (int i = 0; i <= 60; i++)
        {
            Assert.Equal(i, (await client.ReceiveAsync()).Correlation);
        }
    }

    [Fact]
    public async Task Client_that_takes_no_answer_is_closed_after_the_idle_time()
    {
        await using var listener = new TestListener(new ListenerLimits { ResponseBytesMax = 1 << 20, IdleMax = TimeSpan.FromMilliseconds(200) });
        using TestClient client = await listener.ConnectAsync();
        byte[] large = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(large, 64 << 20);

        await client.SendAsync(what: 1, 0, large);

        await listener.ClosedAsync("idle");
    }

    [Fact]
    public async Task Silent_connection_is_closed_after_the_idle_time()
    {
        await using var listener = new TestListener(new ListenerLimits { IdleMax = TimeSpan.FromSeconds(1) });
        using TestClient client = await listener.ConnectAsync();
        await client.SendAsync(what: 0, 1);
        await client.ReceiveAsync();

        Assert.True(await client.IsClosedAsync());
        await listener.ClosedAsync("idle");
    }

    [Fact]
    public async Task Client_that_waits_for_its_answer_is_not_idle()
    {
        await using var listener = new TestListener(new ListenerLimits { IdleMax = TimeSpan.FromMilliseconds(50) });
        using TestClient waiting = await listener.ConnectAsync();
        await waiting.SendAsync(what: 2, 1);
        using TestClient silent = await listener.ConnectAsync();
        Assert.True(await silent.IsClosedAsync());
        Assert.True(await (await listener.ConnectAsync()).IsClosedAsync());

        Assert.True(listener.Sessions.Held.TryDequeue(out Action? release));
        release();
        Assert.Equal(1, (await waiting.ReceiveAsync()).Correlation);
    }

    [Theory]
    [InlineData(int.MaxValue, "frame_too_large")]
    [InlineData((100 << 20) + 1, "frame_too_large")]
    [InlineData(-1, "bad_frame")]
    [InlineData(7, "bad_frame")]
    [InlineData(0x53534820, "frame_too_large")]
    public async Task Impossible_size_closes_the_connection(int size, string cause)
    {
        await using var listener = new TestListener();
        using TestClient client = await listener.ConnectAsync();
        byte[] bytes = new byte[64];
        BinaryPrimitives.WriteInt32BigEndian(bytes, size);

        await client.SendBytesAsync(bytes);

        Assert.True(await client.IsClosedAsync());
        await listener.ClosedAsync(cause);
        Assert.Equal(0, listener.Sessions.Handled);
    }

    /// <summary>A handshake of TLS, read as a size, is 369 MB: where the limit is higher such a client waited for ever.</summary>
    [Theory]
    [InlineData("GET / HTTP/1.1\r\n\r\n", "an HTTP request")]
    [InlineData("POST /v1/topics HTTP/1.1\r\n", "an HTTP request")]
    [InlineData("PRI * HTTP/2.0\r\n", "an HTTP request")]
    [InlineData("\u0016\u0003\u0001\u0002\u0000\u0001", "a TLS handshake")]
    public async Task Other_protocol_is_closed_at_once_and_told(string bytes, string spoken)
    {
        await using var listener = new TestListener(new ListenerLimits { RequestFrameBytesMax = 1 << 30 });
        using TestClient client = await listener.ConnectAsync();

        await client.SendBytesAsync(Encoding.Latin1.GetBytes(bytes));

        Assert.True(await client.IsClosedAsync());
        await listener.ClosedAsync("wrong_protocol");
        Assert.Equal(
            $"Listener kafka is for Kafka without TLS; a connection from {client.Socket.LocalEndPoint} began like {spoken} and was closed",
            Assert.Single(listener.Log.Of(1103)));
        Assert.Equal(0, listener.Sessions.Handled);
    }

    [Fact]
    public async Task Other_protocol_costs_a_line_in_a_while_however_often_it_comes()
    {
        await using var listener = new TestListener();
        for (int i = 0; i < 20; i++)
        {
            using TestClient client = await listener.ConnectAsync();
            await client.SendBytesAsync("HEAD / HTTP/1.1\r\n"u8.ToArray());
            Assert.True(await client.IsClosedAsync());
        }

        await listener.ClosedAsync("wrong_protocol", 20);
        Assert.Single(listener.Log.Of(1103));
        using TestClient good = await listener.ConnectAsync();
        await good.SendAsync(what: 0, 1);
        Assert.Equal(1, (await good.ReceiveAsync()).Correlation);
    }

    /// <summary>Only a connection's first bytes say what it speaks.</summary>
    [Fact]
    public async Task Later_request_may_be_as_long_as_a_handshake_looks()
    {
        await using var listener = new TestListener(new ListenerLimits { RequestFrameBytesMax = 1 << 30 });
        using TestClient client = await listener.ConnectAsync();
        await client.SendAsync(what: 0, 1);
        Assert.Equal(1, (await client.ReceiveAsync()).Correlation);

        await client.SendBytesAsync(new byte[] { 22, 3, 1, 0, 0, 0 });
        client.Dispose();

        await listener.ClosedAsync("client");
        Assert.Empty(listener.Log.Of(1103));
    }

    [Fact]
    public async Task Request_memory_of_the_node_is_bounded_and_waited_for()
    {
        await using var listener = new TestListener(
            new ListenerLimits { RequestBytesPerNode = 8 << 20, RequestMemoryWait = TimeSpan.FromMilliseconds(300) });
        byte[] frame = TestClient.Frame(0, 1, new byte[6 << 20]);
        using TestClient holder = await listener.ConnectAsync();
        await holder.SendBytesAsync(frame.AsMemory(0, 5 << 20));
        await Eventually.HoldsAsync(() => listener.Memory.UsedBytes >= 6 << 20, () => $"{listener.Memory.UsedBytes} used");

        using TestClient other = await listener.ConnectAsync();
        Task sending = other.SendBytesAsync(frame);
        Assert.True(await other.IsClosedAsync());
        Assert.Equal(1, listener.Closed("no_memory"));
        await sending.ContinueWith(static _ => { }, TestContext.Current.CancellationToken, TaskContinuationOptions.None, TaskScheduler.Default);

        await holder.SendBytesAsync(frame.AsMemory(5 << 20));
        Assert.Equal(6 << 20, (await holder.ReceiveAsync()).Payload.Length);
        Assert.True(listener.Memory.UsedBytes <= 8 << 20);
    }

    [Fact]
    public async Task Connections_above_the_limit_are_closed_and_the_place_is_free_again_later()
    {
        await using var listener = new TestListener(new ListenerLimits { ConnectionsMax = 2 });
        using TestClient first = await listener.ConnectAsync();
        TestClient second = await listener.ConnectAsync();
        await Eventually.HoldsAsync(() => listener.Metrics.Connections.Value == 2, () => "not connected");
        using (TestClient third = await listener.ConnectAsync())
        {
            Assert.True(await third.IsClosedAsync());
        }

        second.Dispose();
        await Eventually.HoldsAsync(() => listener.Metrics.Connections.Value == 1, () => "not closed");
        using TestClient fourth = await listener.ConnectAsync();
        await fourth.SendAsync(0, 9);

        Assert.Equal(9, (await fourth.ReceiveAsync()).Correlation);
        Assert.Equal(1, listener.Closed("too_many"));
    }

    [Fact]
    public async Task Close_comes_after_the_earlier_answers()
    {
        await using var listener = new TestListener();
        using TestClient client = await listener.ConnectAsync();
        await client.SendAsync(what: 2, 1);
        await client.SendAsync(what: 4, 2);
        await client.SendAsync(what: 0, 3);
        await Eventually.HoldsAsync(() => listener.Sessions.Handled == 3, () => $"{listener.Sessions.Handled} handled");
        Assert.True(listener.Sessions.Held.TryDequeue(out Action? release));

        release();

        Assert.Equal(1, (await client.ReceiveAsync()).Correlation);
        Assert.True(await client.IsClosedAsync());
        await listener.ClosedAsync("session");
    }

    [Fact]
    public async Task Failing_session_costs_its_own_connection_only()
    {
        await using var listener = new TestListener();
        using TestClient good = await listener.ConnectAsync();
        using TestClient bad = await listener.ConnectAsync();

        await bad.SendAsync(what: 5, 1);

        Assert.True(await bad.IsClosedAsync());
        await good.SendAsync(what: 0, 2);
        Assert.Equal(2, (await good.ReceiveAsync()).Correlation);
    }

    [Fact]
    public async Task Late_answers_of_a_closed_connection_are_disposed()
    {
        await using var listener = new TestListener();
        TestClient client = await listener.ConnectAsync();
        await client.SendAsync(what: 2, 1);
        await Eventually.HoldsAsync(() => listener.Sessions.Held.Count == 1, () => "not handled");
        client.Dispose();
        await listener.ClosedAsync("client");

        Assert.True(listener.Sessions.Held.TryDequeue(out Action? release));
        release();

        Assert.Equal(0, listener.Sessions.LiveResponses);
    }

    [Fact]
    public async Task Stopping_closes_connections_and_cancels_what_they_handle()
    {
        var listener = new TestListener();
        using TestClient client = await listener.ConnectAsync();
        await client.SendAsync(what: 6, 1);
        await Eventually.HoldsAsync(() => listener.Sessions.Handled == 1, () => "not handled");

        await listener.DisposeAsync();

        Assert.True(await client.IsClosedAsync());
    }

    [Fact]
    public async Task Localhost_is_served_over_both_versions_of_IP_on_one_port()
    {
        await using var listener = new TestListener(bind: [new IPEndPoint(IPAddress.Loopback, 0), new IPEndPoint(IPAddress.IPv6Loopback, 0)]);
        Assert.Equal(listener.Listener.Addresses[0].Port, listener.Listener.Addresses[1].Port);
        foreach (IPEndPoint address in listener.Listener.Addresses)
        {
            using TestClient client = await TestClient.ConnectAsync(address);
            await client.SendAsync(0, 4);
            Assert.Equal(4, (await client.ReceiveAsync()).Correlation);
        }

        Assert.All(listener.Sessions.Opened, info => Assert.Equal("kafka", info.Listener));
    }

    [Fact]
    public async Task Half_sent_frame_and_a_closed_client_leave_nothing_behind()
    {
        await using var listener = new TestListener();
        for (int i = 0; i < 20; i++)
        {
            using TestClient client = await listener.ConnectAsync();
            await client.SendBytesAsync(TestClient.Frame(0, 1, new byte[200_000]).AsMemory(0, 100_000));
            client.Socket.LingerState = new LingerOption(enable: i % 2 == 0, 0);
        }

        await listener.ClosedAsync("client", 20);
        Assert.Equal(0, listener.Memory.UsedBytes);
    }
}
