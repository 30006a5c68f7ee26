namespace RaftMq.Cli.Brokers;

internal sealed record GroupDescription(
    string Group, string State, string Protocol, IReadOnlyList<GroupMember> Members, IReadOnlyList<GroupPosition> Positions);
