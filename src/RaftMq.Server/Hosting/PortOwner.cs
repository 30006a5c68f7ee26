using System.Globalization;
using System.Net.Sockets;

namespace RaftMq.Server.Hosting;

/// <summary>Says why an address can't be had, with the process that has it.</summary>
internal static class PortOwner
{
    /// <summary>TCP_LISTEN in the system's table of sockets.</summary>
    private const string Listening = "0A";

    public static string Explain(int port, SocketException exception) => exception.SocketErrorCode switch
    {
        SocketError.AddressAlreadyInUse => $"is taken by {Describe(port)}; give the node another port or stop that process",
        SocketError.AccessDenied => $"may not be taken by this user ({exception.Message}); ports below 1024 need a right of their own",
        SocketError.AddressNotAvailable => $"is not an address of this machine ({exception.Message})",
        _ => $"can't be bound: {exception.Message}",
    };

    private static string Describe(int port)
    {
        HashSet<string> targets =
            [.. ListeningInodes("/proc/net/tcp", port), .. ListeningInodes("/proc/net/tcp6", port)];
        return (targets.Count > 0 ? OpenFiles.OwnerOf(targets.Contains) : null)
            ?? "another process (of another user, or one that is only starting)";
    }

    /// <summary>Of the table the second column is address:port in hex, the fourth the state, the tenth the inode.</summary>
    private static IEnumerable<string> ListeningInodes(string path, int port)
    {
        string wanted = ":" + port.ToString("X4", CultureInfo.InvariantCulture);
        foreach (string line in File.Exists(path) ? File.ReadLines(path) : [])
        {
            string[] columns = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (columns.Length > 9 && columns[1].EndsWith(wanted, StringComparison.Ordinal) && columns[3] == Listening)
            {
                yield return $"socket:[{columns[9]}]";
            }
        }
    }
}
