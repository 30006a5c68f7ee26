namespace RaftMq.Broker.Groups;

/// <summary>
/// One generation of a group as it is replicated. Immutable. A new coordinator goes on from it: members keep their ids, their places
/// and their assignments.
/// </summary>
/// <param name="Phase">Never <see cref="GroupPhase.Joining"/>: a rebalance that had begun begins again when its members join.</param>
/// <param name="ProtocolType">Of the last members; empty before the first.</param>
/// <param name="ProtocolName">Empty in an empty group.</param>
/// <param name="Leader"><see cref="MemberId.None"/> in an empty group.</param>
/// <param name="ChangedAtMs">The leader's clock at the change; for an empty group, the beginning of its offsets' retention.</param>
/// <param name="Members">In the order they joined, which decides who leads next.</param>
public sealed record GroupRecord(
    Generation Generation,
    GroupPhase Phase,
    string ProtocolType,
    string ProtocolName,
    MemberId Leader,
    long ChangedAtMs,
    MemberRecord[] Members);

/// <inheritdoc cref="GroupRecord"/>
public sealed record MemberRecord(
    MemberId Id,
    InstanceId? Instance,
    string ClientId,
    string ClientHost,
    int SessionTimeoutMs,
    int RebalanceTimeoutMs,
    MemberProtocol[] Protocols,
    byte[] Assignment);

/// <summary>A way of assigning that a member knows, with what it wants the assigning member to know. The bytes are the clients' own.</summary>
public sealed record MemberProtocol(string Name, byte[] Metadata)
{
    /// <summary>True when both offer the same protocols with the same bytes in the same order.</summary>
    internal static bool Same(MemberProtocol[] left, MemberProtocol[] right)
    {
        if (left.Length != right.Length)
        {
            return false;
        }

        for (int i = 0; i < left.Length; i++)
        {
            if (left[i].Name != right[i].Name || !left[i].Metadata.AsSpan().SequenceEqual(right[i].Metadata))
            {
                return false;
            }
        }

        return true;
    }
}
