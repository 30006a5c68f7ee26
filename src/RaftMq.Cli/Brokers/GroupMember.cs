namespace RaftMq.Cli.Brokers;

internal sealed record GroupMember(string Member, string? Instance, string Client, string Host);
