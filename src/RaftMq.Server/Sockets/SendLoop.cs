using System.Net.Sockets;

namespace RaftMq.Server.Sockets;

/// <summary>
/// How a connection sends. Its turns:
/// 1. a thread that brings something and finds nobody sending (the queue's own business) becomes the sender;
/// 2. it writes to the socket itself, without waiting, until the queue has nothing more;
/// 3. when the socket takes no more, sending goes on in a task until nothing is left, so that no shard ever waits for a network.
/// </summary>
/// <param name="socket">Non-blocking when there is no <paramref name="tls"/>.</param>
/// <param name="tls">Over the same socket when the connection is encrypted: encryption has no way to try without waiting, so all is done in the task.</param>
/// <param name="gather">Filled by the queue.</param>
/// <param name="queue">Where what is sent comes from.</param>
internal sealed class SendLoop(Socket socket, Stream? tls, GatheredSend gather, ISendQueue queue)
{
    /// <summary>The sending that goes on after <see cref="Send"/> returned; awaited when the connection ends. Never fails.</summary>
    public Task Task { get; private set; } = Task.CompletedTask;

    /// <summary>Called by the sender.</summary>
    public void Send()
    {
        if (tls is not null)
        {
            Task = Task.Run(SendInTaskAsync);
            return;
        }

        while (queue.GatherNext())
        {
            switch (queue.IsForTask ? SendOutcome.WouldWait : gather.TrySend(socket))
            {
                case SendOutcome.WouldWait:
                    Task = Task.Run(SendInTaskAsync);
                    return;
                case SendOutcome.Broken:
                    queue.GiveUp();
                    return;
            }
        }
    }

    private async Task SendInTaskAsync()
    {
        do
        {
            if (!await gather.SendAsync(socket, tls))
            {
                queue.GiveUp();
                return;
            }
        }
        while (queue.GatherNext());
    }
}
