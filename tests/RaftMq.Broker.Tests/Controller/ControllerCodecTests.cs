using RaftMq.Broker.Controller;
using RaftMq.Broker.Tests.Support;
using RaftMq.Raft;

namespace RaftMq.Broker.Tests.Controller;

/// <summary>The bytes of the controller's entries and of what nodes ask of it: pinned, come back as they were, and bear anything.</summary>
public sealed class ControllerCodecTests
{
    /// <summary>Reads bytes and writes what it read; null when it refuses them.</summary>
    private delegate byte[]? Rewrite(byte[] bytes);

    private static readonly (string Name, byte[] Bytes, Rewrite Rewrite)[] All =
    [
        .. ControllerSamples.Commands.Select(s => (s.Name, s.Command.Encode(), (Rewrite)RewriteCommand)),
        .. ControllerSamples.Requests.Select(s => (s.Name, AdminCodec.Encode(s.Request), (Rewrite)RewriteRequest)),
        .. ControllerSamples.Responses.Select(s => (s.Name, AdminCodec.Encode(s.Response), (Rewrite)RewriteResponse)),
    ];

    [Fact]
    public void Version_1_of_every_command_is_read_and_written_for_ever_as_in_the_golden_file()
    {
        var golden = GoldenFile.Read("commands-v1.txt");
        Assert.Equal(ControllerSamples.Commands.Select(s => s.Name).Order(StringComparer.Ordinal), golden.Blocks);
        foreach ((string name, ClusterCommand command) in ControllerSamples.Commands)
        {
            golden.AssertUnchanged(name, command.Encode());
            Assert.Equal(ControllerSamples.Describe(command), ControllerSamples.Describe(ClusterCommand.TryDecode(golden[name])!));
        }
    }

    [Fact]
    public void Version_1_of_every_request_and_answer_is_read_and_written_for_ever_as_in_the_golden_file()
    {
        var golden = GoldenFile.Read("requests-v1.txt");
        Assert.Equal(
            ControllerSamples.Requests.Select(s => s.Name).Concat(ControllerSamples.Responses.Select(s => s.Name)).Order(StringComparer.Ordinal),
            golden.Blocks);
        foreach ((string name, ControllerRequest request) in ControllerSamples.Requests)
        {
            golden.AssertUnchanged(name, AdminCodec.Encode(request));
            Assert.Equal(ControllerSamples.Describe(request), ControllerSamples.Describe(AdminCodec.TryDecodeRequest(golden[name])!));
        }

        foreach ((string name, ControllerResponse response) in ControllerSamples.Responses)
        {
            golden.AssertUnchanged(name, AdminCodec.Encode(response));
            Assert.Equal(ControllerSamples.Describe(response), ControllerSamples.Describe(AdminCodec.TryDecodeResponse(golden[name])!));
        }
    }

    [Fact]
    public void No_kind_of_command_or_request_is_missing_here()
    {
        Assert.Empty(typeof(ClusterCommand).GetNestedTypes()
            .Except(ControllerSamples.Commands.Select(s => s.Command.GetType())));

        // DeleteRecords is the partition's leader's, not the controller's.
        Assert.Equal(
            [typeof(AdminCommand.DeleteRecords)],
            typeof(AdminCommand).GetNestedTypes().Except(
                ControllerSamples.Requests.Select(s => (s.Request as ControllerRequest.Administer)?.Command.GetType())));
    }

    [Fact]
    public void Random_commands_requests_and_answers_come_back_as_they_were()
    {
        var state = new ClusterState();
        for (ulong seed = 0; seed < 2_000; seed++)
        {
            var random = new RandomSource(seed);
            ClusterCommand command = ControllerSamples.RandomCommand(random, state);
            ControllerRequest request = ControllerSamples.RandomRequest(random);
            ControllerResponse response = ControllerSamples.RandomResponse(random);
            state.Apply(command);

            Assert.Equal(ControllerSamples.Describe(command), ControllerSamples.Describe(ClusterCommand.TryDecode(command.Encode())!));
            Assert.Equal(
                ControllerSamples.Describe(request), ControllerSamples.Describe(AdminCodec.TryDecodeRequest(AdminCodec.Encode(request))!));
            Assert.Equal(
                ControllerSamples.Describe(response), ControllerSamples.Describe(AdminCodec.TryDecodeResponse(AdminCodec.Encode(response))!));
        }
    }

    [Fact]
    public void Whatever_is_cut_or_has_something_behind_it_is_refused()
    {
        foreach ((string name, byte[] bytes, Rewrite rewrite) in All)
        {
            Assert.Equal(bytes, rewrite(bytes));
            Assert.All(Hostile.Cut(bytes), cut => Assert.True(rewrite(cut.Bytes) is null, $"{name}, {cut.How}"));
            Assert.True(rewrite([.. bytes, 0]) is null, name);
        }
    }

    [Fact]
    public void Changed_bytes_are_refused_or_are_another_message_and_cost_no_more_than_they_are_long()
    {
        foreach ((string name, byte[] bytes, Rewrite rewrite) in All)
        {
            foreach ((byte[] changed, string how) in Hostile.All(bytes))
            {
                // No checksum stands here: an entry, a frame or a checkpoint carries one around these bytes.
                byte[]? written = Hostile.Read(() => rewrite(changed), changed.Length, $"{name}, {how}");
                if (written is not null)
                {
                    Assert.Equal(written, rewrite(written));
                    Assert.Equal(changed.Length, written.Length);
                }
            }
        }
    }

    [Fact]
    public void Another_version_is_refused()
    {
        foreach ((string name, byte[] bytes, Rewrite rewrite) in All)
        {
            Assert.True(rewrite([2, .. bytes[1..]]) is null, name);
            Assert.True(rewrite([0, .. bytes[1..]]) is null, name);
        }
    }

    [Fact]
    public void A_text_that_is_none_and_a_setting_named_twice_are_refused()
    {
        byte[] bytes = ControllerSamples.Commands.Single(s => s.Name == "topic-configs-set").Command.Encode();
        int name = bytes.AsSpan().IndexOf("retention.ms"u8);
        byte[] noText = [.. bytes];
        noText[name] = 0xFF;
        Assert.Null(ClusterCommand.TryDecode(noText));

        byte[] setting = bytes[(name - 4)..];
        byte[] twice = [.. bytes[..18], 2, 0, 0, 0, .. setting, .. setting];
        Assert.NotNull(ClusterCommand.TryDecode([.. bytes[..18], 1, 0, 0, 0, .. setting]));
        Assert.Null(ClusterCommand.TryDecode(twice));
    }

    private static byte[]? RewriteCommand(byte[] bytes) => ClusterCommand.TryDecode(bytes)?.Encode();

    private static byte[]? RewriteRequest(byte[] bytes) =>
        AdminCodec.TryDecodeRequest(bytes) is { } request ? AdminCodec.Encode(request) : null;

    private static byte[]? RewriteResponse(byte[] bytes) =>
        AdminCodec.TryDecodeResponse(bytes) is { } response ? AdminCodec.Encode(response) : null;
}
