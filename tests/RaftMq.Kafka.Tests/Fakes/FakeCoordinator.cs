using RaftMq.Broker;
using RaftMq.Broker.Groups;
using RaftMq.Kafka.Groups;
using RaftMq.Raft;

namespace RaftMq.Kafka.Tests.Fakes;

/// <summary>The real coordinator of one partition, whose entries are committed as soon as the call that proposed them is over.</summary>
internal sealed class FakeCoordinator : IGroupProposer
{
    private readonly GroupStateMachine state = new();
    private readonly Queue<Action> committed = new();
    private GroupCoordinator? coordinator;

    public void Run(ICoordinatorCall call, long nowMs)
    {
        coordinator ??= new GroupCoordinator(
            state, new GroupsConfig { InitialRebalanceDelayMs = 0 }, this, new SubscriptionReader(), new RandomSource(5), nowMs);
        call.Run(coordinator, nowMs);
        Commit();
    }

    public void Tick(long nowMs)
    {
        coordinator?.Tick(nowMs);
        Commit();
    }

    public bool Propose(byte[] entry, IProposalCallback callback)
    {
        committed.Enqueue(() =>
        {
            state.Apply(entry);
            callback.Committed();
        });
        return true;
    }

    public bool ConfirmLeader(IProposalCallback callback)
    {
        committed.Enqueue(callback.Committed);
        return true;
    }

    private void Commit()
    {
        while (committed.TryDequeue(out Action? next))
        {
            next();
        }
    }
}
