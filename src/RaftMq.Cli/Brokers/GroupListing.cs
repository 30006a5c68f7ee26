namespace RaftMq.Cli.Brokers;

internal sealed record GroupListing(string Group, string Protocol, string State, int Coordinator);
