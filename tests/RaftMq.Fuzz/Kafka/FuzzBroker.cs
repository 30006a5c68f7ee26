using RaftMq.Broker;
using RaftMq.Broker.Controller;
using RaftMq.Broker.Partitions;
using RaftMq.Fuzz.Formats;
using RaftMq.Kafka.Tests.Fakes;
using RaftMq.Raft;

namespace RaftMq.Fuzz.Kafka;

/// <summary>
/// The broker behind the requests: logs in memory, the real coordinators of groups, and for administration the real decisions of the controller,
/// of which nothing is carried out.
/// </summary>
internal sealed class FuzzBroker : IBroker
{
    /// <summary>
    /// More partitions in one input are allowed, and slow to place; each takes about 4 KiB until it is decided, which would hide what a parser
    /// takes.
    /// </summary>
    private const int PartitionsMax = 100;

    private readonly FakeBroker _fake;
    private readonly ClusterState _state = ClusterCommandFormat.State();
    private int _partitions;

    public FuzzBroker(FakeClock clock)
    {
        _fake = new FakeBroker(clock);
        _fake.AddTopic("orders", 2);
        _fake.Append("orders", 0, Samples.Batch(3));
        _fake.Append("orders", 0, Samples.StampedBatch(2));
    }

    public NodeId Self => _fake.Self;

    public ClusterImage Cluster => _fake.Cluster;

    public BrokerOptions Options => _fake.Options;

    public void Produce(ProduceCommand command) => _fake.Produce(command);

    public void Read(ReadCommand command) => _fake.Read(command);

    public void WaitForRecords(GroupId group, long offset, IReadWaiter waiter) => _fake.WaitForRecords(group, offset, waiter);

    public void StopWaiting(GroupId group, IReadWaiter waiter) => _fake.StopWaiting(group, waiter);

    public void FindOffset(GroupId group, OffsetQuery query, long timestampMs, int leaderEpoch, Action<OffsetResult> completion) =>
        _fake.FindOffset(group, query, timestampMs, leaderEpoch, completion);

    public void FindEpochEnd(GroupId group, int epoch, int leaderEpoch, Action<EpochEndResult> completion) =>
        _fake.FindEpochEnd(group, epoch, leaderEpoch, completion);

    public void WithCoordinator(string consumerGroup, ICoordinatorCall call) => _fake.WithCoordinator(consumerGroup, call);

    public void WithCoordinatorOf(GroupId offsetsPartition, ICoordinatorCall call) => _fake.WithCoordinatorOf(offsetsPartition, call);

    public void Administer(AdminCommand command, long deadlineMs, IAdminCompletion completion)
    {
        switch (command)
        {
            case AdminCommand.DeleteRecords:
                _fake.Administer(command, deadlineMs, completion);
                break;
            case AdminCommand.CreateTopic create when !HasRoomFor(create.Partitions):
            case AdminCommand.AddPartitions add when !HasRoomFor(add.TotalCount):
                completion.Completed(new AdminResult(AdminOutcome.InvalidPartitions, "too many for a fuzzer"));
                break;
            default:
                completion.Completed(Decide(command));
                break;
        }
    }

    private bool HasRoomFor(int partitions)
    {
        int wanted = Math.Max(partitions, 1);
        bool hasRoom = wanted <= PartitionsMax - _partitions;
        _partitions += hasRoom ? wanted : 0;
        return hasRoom;
    }

    /// <summary>By way of the bytes, as on a node that does not lead the controller group.</summary>
    private AdminResult Decide(AdminCommand command)
    {
        ControllerRequest request = AdminCodec.TryDecodeRequest(AdminCodec.Encode(new ControllerRequest.Administer(command)))
            ?? throw new InvalidOperationException("What a node asks of the controller can't be read.");
        Decision decision = ControllerRequestFormat.Decisions(_state).Decide(request);
        return decision.Answer ?? new AdminResult(
            AdminOutcome.Done, Topic: (ClusterCommand.TryDecode(decision.Command!.Encode()) as ClusterCommand.TopicCreated)?.Topic);
    }
}
