using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace RaftMq.Cli.LocalCluster;

/// <summary>Finds out whether a port is free, and who has it if not.</summary>
internal static class PortOwner
{
    private const string Listening = "0A";

    /// <summary>Whether both loopback addresses can be bound; a machine without IPv6 has one.</summary>
    public static bool IsFree(int port) => CanBind(IPAddress.Loopback, port) && (!Socket.OSSupportsIPv6 || CanBind(IPAddress.IPv6Loopback, port));

    /// <summary>"name (process 123)" of who listens on the port, or "another process" where the system does not say.</summary>
    public static string Describe(int port)
    {
        HashSet<string> inodes = [.. ListeningInodes("/proc/net/tcp", port), .. ListeningInodes("/proc/net/tcp6", port)];
        return FindProcess(inodes) is { } id ? DescribeProcess(id) : "another process (of another user, or a connection that just closed)";
    }

    public static string DescribeProcess(int id)
    {
        string name = "unknown program";
        try
        {
            name = File.ReadAllText($"/proc/{id}/comm").Trim();
        }
        catch (IOException)
        {
            // It ended meanwhile; its id still helps.
        }

        return $"{name} (process {id})";
    }

    /// <summary>Reads the table of sockets: the second column is address:port in hex, the fourth the state, the tenth the inode.</summary>
    internal static IEnumerable<string> InodesIn(IEnumerable<string> table, int port)
    {
        string wanted = ":" + port.ToString("X4", CultureInfo.InvariantCulture);
        foreach (string line in table)
        {
            string[] columns = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (columns.Length > 9 && columns[1].EndsWith(wanted, StringComparison.Ordinal) && columns[3] == Listening)
            {
                yield return columns[9];
            }
        }
    }

    private static IEnumerable<string> ListeningInodes(string path, int port) =>
        File.Exists(path) ? InodesIn(File.ReadLines(path), port) : [];

    private static int? FindProcess(HashSet<string> inodes)
    {
        if (inodes.Count == 0 || !Directory.Exists("/proc"))
        {
            return null;
        }

        HashSet<string> targets = [.. inodes.Select(inode => $"socket:[{inode}]")];
        foreach (string folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out int id) && HasOpen(folder, targets))
            {
                return id;
            }
        }

        return null;
    }

    private static bool HasOpen(string processFolder, HashSet<string> targets)
    {
        try
        {
            return Directory.EnumerateFileSystemEntries(Path.Combine(processFolder, "fd"))
                .Any(file => new FileInfo(file).LinkTarget is { } target && targets.Contains(target));
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            // Processes of others do not show their files, and processes end while they are looked at.
            return false;
        }
    }

    private static bool CanBind(IPAddress address, int port)
    {
        using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(address, port));
            socket.Listen(1);
            return true;
        }
        catch (SocketException taken) when (taken.SocketErrorCode is SocketError.AddressAlreadyInUse or SocketError.AccessDenied)
        {
            return false;
        }
        catch (SocketException)
        {
            // No such address here (IPv6 turned off): then nobody can have the port there.
            return true;
        }
    }
}
