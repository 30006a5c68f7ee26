namespace RaftMq.Server.Sockets;

/// <summary>How the runtime's socket threads work in this process.</summary>
internal static class SocketThreads
{
    /// <summary>The runtime's own switch, read once, when the first socket waits. It can be set in the environment only.</summary>
    private const string Switch = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";

    /// <summary>
    /// The thread that the kernel wakes with a client's bytes goes on with them, without a hop to the thread pool: as with peers' bytes, that
    /// is a third of the leader's CPU at small batches. Nothing behind a receive of a Kafka connection may block, and a section gives such a
    /// thread back after <see cref="Sections.ExclusiveSection.CarriedMax"/>. HTTP is not touched by it: Kestrel goes to the pool by itself.
    /// </summary>
    public static void ContinueWhereBytesArrive()
    {
        if (Environment.GetEnvironmentVariable(Switch) is null)
        {
            Environment.SetEnvironmentVariable(Switch, "1");
        }
    }
}
