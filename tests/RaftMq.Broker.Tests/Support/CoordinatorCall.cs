using RaftMq.Broker.Groups;

namespace RaftMq.Broker.Tests.Support;

/// <summary>Asks a coordinator, and remembers when it was told that the coordinator is not here.</summary>
internal sealed class CoordinatorCall(Action<GroupCoordinator, long> ask) : ICoordinatorCall
{
    public bool WasNotHere { get; private set; }

    public void Run(GroupCoordinator coordinator, long nowMs) => ask(coordinator, nowMs);

    public void NotHere() => WasNotHere = true;
}
