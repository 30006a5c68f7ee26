using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using RaftMq.Server.Sockets;

namespace RaftMq.Server.Admin;

/// <summary>
/// Looks at the first bytes of a connection before HTTP does, which would wait for the end of a line that a Kafka client never sends.
/// </summary>
internal sealed class HttpDoor(WrongProtocolLog log)
{
    /// <summary>As long as an idle connection of HTTP stays.</summary>
    private static readonly TimeSpan FirstByteMax = TimeSpan.FromMinutes(2);

    /// <returns>False: it is to be closed.</returns>
    public async Task<bool> LetsInAsync(ConnectionContext connection)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(
            connection.ConnectionClosed,
            connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? CancellationToken.None);
        limit.CancelAfter(FirstByteMax);
        SpokenProtocol spoken;
        try
        {
            PipeReader input = connection.Transport.Input;
            ReadResult read = await input.ReadAsync(limit.Token);
            spoken = Look(read.Buffer);

            // Nothing is taken or seen: HTTP gets all of it at once.
            input.AdvanceTo(read.Buffer.Start);
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException)
        {
            // Gone, silent for too long, or the node stops.
            return false;
        }

        if (spoken is not (SpokenProtocol.Kafka or SpokenProtocol.Tls))
        {
            return true;
        }

        log.Closed(connection.RemoteEndPoint?.ToString() ?? "?", spoken);
        return false;
    }

    private static SpokenProtocol Look(ReadOnlySequence<byte> received)
    {
        Span<byte> first = stackalloc byte[FirstBytes.Count];
        int count = (int)Math.Min(first.Length, received.Length);
        received.Slice(0, count).CopyTo(first);
        return FirstBytes.Of(first[..count]);
    }
}
