using System.Globalization;
using RaftMq.Server.Peers;

namespace RaftMq.Server.Tests.Peers;

/// <summary>A process with a peer transport and nothing else, to be killed.</summary>
internal static class PeerChild
{
    public const string Command = "peer-child";

    /// <summary>Arguments: the command, the node id. Prints the port, dials whom it is told on standard input ("id port") and says when it is
    /// connected, runs until killed.</summary>
    public static async Task<int> RunAsync(string[] args)
    {
        await using var node = new PeerNode(int.Parse(args[1], CultureInfo.InvariantCulture));
        await Console.Out.WriteLineAsync(node.Port.ToString(CultureInfo.InvariantCulture));
        await Console.Out.FlushAsync();
        while (await Console.In.ReadLineAsync() is { } line)
        {
            string[] parts = line.Split(' ');
            var other = new Raft.NodeId(int.Parse(parts[0], CultureInfo.InvariantCulture));
            node.Transport.Learn(other, "127.0.0.1", int.Parse(parts[1], CultureInfo.InvariantCulture), PeerAddressSource.Configured);
            while (!node.Transport.IsConnected(other))
            {
                await Task.Delay(1);
            }

            await Console.Out.WriteLineAsync("connected");
            await Console.Out.FlushAsync();
        }

        return 0;
    }
}
