using RaftMq.Broker.Controller;
using RaftMq.Broker.Encoding;
using RaftMq.Raft;

namespace RaftMq.Broker.Tests.Controller;

/// <summary>What nodes were answered: kept until they wait for it no more, and never more than so many.</summary>
public sealed class RequestMemoryTests
{
    private static readonly ReplicaId Node = new(new NodeId(1), new StoreId(11));
    private static readonly ReplicaId Other = new(new NodeId(2), new StoreId(22));

    private readonly RequestMemory _memory = new();

    [Fact]
    public void A_copy_gets_the_first_answer()
    {
        Assert.False(IsOver(Node, 5, out _));

        Remember(Node, 5, lowestOpen: 5);

        Assert.True(IsOver(Node, 5, out RememberedAnswer? answer));
        Assert.Equal(5, answer!.Number);
        Assert.False(IsOver(Node, 6, out _));
        Assert.False(IsOver(Other, 5, out _));
    }

    [Fact]
    public void What_nobody_waits_for_is_forgotten_and_stays_over()
    {
        Remember(Node, 5, lowestOpen: 3);
        Remember(Node, 8, lowestOpen: 6);

        Assert.All([1L, 5L], number =>
        {
            Assert.True(IsOver(Node, number, out RememberedAnswer? answer));
            Assert.Null(answer);
        });
        Assert.False(IsOver(Node, 6, out _));
        Assert.Equal([(Node, 1)], _memory.Known);
    }

    [Fact]
    public void A_word_that_comes_late_does_not_bring_back_what_is_over()
    {
        Remember(Node, 9, lowestOpen: 8);
        Remember(Node, 8, lowestOpen: 2);

        Assert.True(IsOver(Node, 5, out RememberedAnswer? answer));
        Assert.Null(answer);
    }

    [Fact]
    public void Of_too_many_the_oldest_go_and_stay_over()
    {
        for (int i = 0; i <= RequestMemory.AnswersMax; i++)
        {
            Remember(Node, 10 + i, lowestOpen: 10);
        }

        Assert.Equal([(Node, RequestMemory.AnswersMax)], _memory.Known);
        Assert.True(IsOver(Node, 10, out RememberedAnswer? answer));
        Assert.Null(answer);
        Assert.True(IsOver(Node, 11, out answer));
        Assert.NotNull(answer);
    }

    [Fact]
    public void Nothing_is_kept_of_a_node_that_left()
    {
        Remember(Node, 5, lowestOpen: 5);
        Remember(Other, 6, lowestOpen: 6);

        _memory.Forget(Node);

        Assert.Equal([(Other, 1)], _memory.Known);
    }

    [Fact]
    public void A_memory_read_back_knows_the_same()
    {
        Remember(Node, 5, lowestOpen: 3);
        Remember(Other, 6, lowestOpen: 6);
        var writer = new ByteWriter();
        _memory.Write(writer);
        var reader = new ByteReader(writer.Written);

        var copy = RequestMemory.Read(ref reader);

        Assert.True(reader.AtEnd);
        var again = new ByteWriter();
        copy.Write(again);
        Assert.Equal(writer.ToArray(), again.ToArray());
        Assert.True(copy.IsOver(new RequestId(Node, 1, 2, 2), out _));
        Assert.False(copy.IsOver(new RequestId(Node, 1, 4, 4), out _));
    }

    private bool IsOver(ReplicaId node, long number, out RememberedAnswer? answer) =>
        _memory.IsOver(new RequestId(node, StartId: 1, number, LowestOpen: number), out answer);

    private void Remember(ReplicaId node, long number, long lowestOpen) =>
        _memory.Remember(node, number, lowestOpen, new RememberedAnswer(AdminOutcome.Done, null, number, 0));
}
