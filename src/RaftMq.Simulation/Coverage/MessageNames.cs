using RaftMq.Broker.Peers;
using RaftMq.Raft;

namespace RaftMq.Simulation.Coverage;

/// <summary>What nodes say to each other, by name.</summary>
internal static class MessageNames
{
    /// <summary>Messages of consensus, then those between nodes.</summary>
    public static IReadOnlyList<string> All { get; } = [.. Kinds(typeof(RaftMessage)), .. Kinds(typeof(PeerMessage)).Where(name => name != nameof(PeerMessage.ForGroup))];

    public static string Of(PeerMessage message) => message is PeerMessage.ForGroup said ? said.Message.GetType().Name : message.GetType().Name;

    private static IEnumerable<string> Kinds(Type family) => family.Assembly.GetTypes()
        .Where(type => type.IsSubclassOf(family) && !type.IsAbstract)
        .Select(type => type.Name)
        .Order(StringComparer.Ordinal);
}
