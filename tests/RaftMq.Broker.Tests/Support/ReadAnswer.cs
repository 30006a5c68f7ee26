using RaftMq.Broker.Partitions;
using RaftMq.Raft;

namespace RaftMq.Broker.Tests.Support;

/// <summary>Asks for records and keeps the answer, which comes once.</summary>
internal sealed class ReadAnswer : IReadCompletion
{
    private ReadResult? _result;

    public ReadResult Result => _result ?? throw new InvalidOperationException("There is no answer yet.");

    public ReadOutcome? Outcome => _result?.Outcome;

    public int BatchCount => Result.Batches.Count;

    public static ReadAnswer To(
        ClusterNode node, GroupId group, long offset, int bytesMax = 1 << 20, bool atLeastOne = true, int leaderEpoch = -1)
    {
        var answer = new ReadAnswer();
        node.Broker.Read(new ReadCommand
        {
            Group = group,
            Offset = offset,
            BytesMax = bytesMax,
            AtLeastOne = atLeastOne,
            LeaderEpoch = leaderEpoch,
            Completion = answer,
        });
        return answer;
    }

    public void Completed(ReadCommand command, in ReadResult result)
    {
        Assert.True(_result is null, "answered twice");
        _result = result;
    }
}

internal sealed class WaitingReader : IReadWaiter
{
    public int Woken { get; private set; }

    public void Wake() => Woken++;
}
