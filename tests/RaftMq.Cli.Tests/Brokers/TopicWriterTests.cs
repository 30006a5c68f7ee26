using RaftMq.Cli.Brokers;
using RaftMq.Cli.Commands;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Client;

namespace RaftMq.Cli.Tests.Brokers;

/// <summary><c>raftmq topic create</c> and <c>delete</c> while the controller changes.</summary>
public sealed class TopicWriterTests : IAsyncDisposable
{
    private readonly FakeBroker broker = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => broker.DisposeAsync();

    /// <summary>Red before: the first such answer ended the command.</summary>
    [Theory]
    [InlineData("create")]
    [InlineData("delete")]
    public async Task What_passes_with_the_next_controller_is_tried_again(string verb)
    {
        broker.Controller = n => n < 2 ? -1 : 0;
        broker.Change = n => n switch { 0 => KafkaError.NotController, 1 => null, 2 => KafkaError.CoordinatorLoadInProgress, _ => KafkaError.None };

        (int code, string said) = await RunAsync(verb);

        Assert.Equal((ExitCodes.Done, $"{verb}d t\n"), (code, said));
        Assert.Equal(4, broker.Changes);
    }

    [Theory]
    [InlineData("create", KafkaError.PolicyViolation, ExitCodes.Failed, "t was not created: POLICY_VIOLATION")]
    [InlineData("create", KafkaError.TopicAlreadyExists, ExitCodes.Failed, "There is a topic t already.")]
    [InlineData("delete", KafkaError.UnknownTopicOrPartition, ExitCodes.NotFound, "There is no topic t.")]
    public async Task What_stays_as_it_is_ends_it_at_once(string verb, KafkaError error, int code, string sentence)
    {
        broker.Change = _ => error;

        Assert.Equal((code, sentence + "\n"), await RunAsync(verb));
        Assert.Equal(1, broker.Changes);
    }

    /// <summary>The change of a try whose answer never came may be the cause: then this is neither done nor refused.</summary>
    [Theory]
    [InlineData("create", KafkaError.TopicAlreadyExists, ExitCodes.Failed, "There is a topic t; a try of this command, the answer to which was lost, may have made it.")]
    [InlineData("delete", KafkaError.UnknownTopicOrPartition, ExitCodes.NotFound, "There is no topic t; a try of this command, the answer to which was lost, may have deleted it.")]
    public async Task What_an_earlier_try_may_have_done_is_said(string verb, KafkaError error, int code, string sentence)
    {
        broker.Change = n => n == 0 ? null : error;

        Assert.Equal((code, sentence + "\n"), await RunAsync(verb));
    }

    [Theory]
    [InlineData(-1, "t was not created: the cluster has no controller now, and so for 0.2 s.")]
    [InlineData(0, "t was not created: NOT_CONTROLLER, and so for 0.2 s.")]
    public async Task The_wait_has_an_end(int controller, string sentence)
    {
        broker.Controller = _ => controller;
        broker.Change = _ => KafkaError.NotController;
        await using KafkaCluster cluster = CommonOptions.Cluster(broker.Bootstrap);
        var writer = new TopicWriter(cluster) { Patience = TimeSpan.FromSeconds(0.2) };

        CommandFailedException failed = await Assert.ThrowsAsync<CommandFailedException>(() => writer.CreateAsync("t", -1, -1, [], Cancellation));

        Assert.Equal((ExitCodes.Unreachable, sentence), (failed.ExitCode, failed.Message));
    }

    private async Task<(int Code, string Said)> RunAsync(string verb)
    {
        var said = new StringWriter();
        int code = await CommandTree.RunAsync(["topic", verb, "t", "--bootstrap", broker.Bootstrap], said, said);
        return (code, said.ToString());
    }
}
