namespace RaftMq.Broker.Groups;

/// <summary>What can be said of a request by looking at it alone.</summary>
internal static class RequestCheck
{
    public static GroupRefusal? Group(ConsumerGroupId group, GroupLimits limits, bool mayBeEmpty = false) =>
        (mayBeEmpty || !string.IsNullOrEmpty(group.Value)) && Fits(group.Value, limits.NameBytesMax)
            ? null
            : GroupRefusal.InvalidGroupId;

    public static GroupRefusal? Join(JoinRequest request, GroupLimits limits)
    {
        if (Group(request.Group, limits) is { } refusal)
        {
            return refusal;
        }

        if (request.SessionTimeoutMs < limits.SessionTimeoutMsMin || request.SessionTimeoutMs > limits.SessionTimeoutMsMax)
        {
            return GroupRefusal.InvalidSessionTimeout;
        }

        if (string.IsNullOrEmpty(request.ProtocolType) || request.Protocols.Length == 0)
        {
            return GroupRefusal.InconsistentProtocol;
        }

        bool fits = Fits(request.ProtocolType, limits.NameBytesMax)
            && request.Protocols.Length <= limits.ProtocolsPerMemberMax
            && Instance(request.Instance, limits);
        foreach (MemberProtocol protocol in request.Protocols)
        {
            fits &= protocol.Name.Length > 0 && Fits(protocol.Name, limits.NameBytesMax);
        }

        return fits ? null : GroupRefusal.InvalidRequest;
    }

    public static OffsetCommitOutcome Offset(in OffsetToCommit offset, GroupLimits limits)
    {
        if (!CanBeStored(new(offset.Topic, offset.Partition), limits) || offset.Offset < 0)
        {
            return OffsetCommitOutcome.Invalid;
        }

        return Fits(offset.Metadata, limits.CommitMetadataBytesMax)
            ? OffsetCommitOutcome.Stored
            : OffsetCommitOutcome.MetadataTooLarge;
    }

    public static bool CanBeStored(OffsetKey key, GroupLimits limits) =>
        !string.IsNullOrEmpty(key.Topic) && Fits(key.Topic, limits.NameBytesMax) && key.Partition >= 0;

    private static bool Instance(InstanceId? instance, GroupLimits limits) =>
        instance is not { } name || (!string.IsNullOrEmpty(name.Value) && Fits(name.Value, limits.InstanceIdBytesMax));

    private static bool Fits(string text, int bytesMax) =>
        text.Length <= bytesMax && System.Text.Encoding.UTF8.GetByteCount(text) <= bytesMax;
}
