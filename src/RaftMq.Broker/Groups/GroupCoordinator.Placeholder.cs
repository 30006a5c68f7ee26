namespace RaftMq.Broker.Groups;

public sealed class GroupCoordinator;
