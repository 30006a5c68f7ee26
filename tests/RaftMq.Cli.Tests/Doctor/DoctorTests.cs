using System.Text.Json;
using RaftMq.Cli.Doctor;

namespace RaftMq.Cli.Tests.Doctor;

/// <summary><c>raftmq doctor DIR</c> on folders of stopped nodes.</summary>
public sealed class DoctorTests : IDisposable
{
    private readonly DataFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_whole_folder_ends_with_0_and_says_whose_it_is()
    {
        (int code, string said, string error) = await RunAsync(folder.Path);
        Assert.Equal((ExitCodes.Done, ""), (code, error));
        Assert.StartsWith($"{folder.Path}: node 1, store 00000000000000000000000000000009, started 1 time\n", said, StringComparison.Ordinal);
        Assert.EndsWith("\nwhole: 7 files of 2 replicas\n", said, StringComparison.Ordinal);
        Assert.Contains("groups/payments-0-00000000000000000000000000000007/ ", said, StringComparison.Ordinal);
        Assert.DoesNotContain("group.meta", said, StringComparison.Ordinal);
        Assert.Contains("group.meta", (await RunAsync(folder.Path, "--files")).Said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Damage_ends_with_1_and_says_what_a_start_makes_of_it()
    {
        DataFolder.Flip(folder.Meta, 40);
        DataFolder.Flip(folder.In("identity"), 20);
        (int code, string said, _) = await RunAsync(folder.Path);
        Assert.Equal(ExitCodes.Failed, code);
        Assert.Matches("\nidentity +mendable +1,024 +node 1, .*; one of its copies is not whole", said);
        Assert.Matches("\ngroups/payments-0-0+7/group.meta +damaged +[0-9]+ +it does not fit its CRC", said);
        Assert.Contains("\npayments-0 does not start, and can't be mended here: ", said, StringComparison.Ordinal);
        Assert.Contains("\nidentity: the copy that is whole will do.\n", said, StringComparison.Ordinal);
        Assert.EndsWith("\nnot whole: 2 damaged files, 1 damaged replica, of 7 files of 2 replicas\n", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_document_has_every_file_and_what_the_node_would_do()
    {
        File.Delete(folder.In("journal.mark"));
        (int code, string said, _) = await RunAsync(folder.Path, "--json");
        Assert.Equal(ExitCodes.Failed, code);
        JsonElement found = JsonSerializer.Deserialize<JsonElement>(said);
        Assert.Equal((1, 1, false, false), (
            found.GetProperty("node").GetInt32(), found.GetProperty("starts").GetInt32(), found.GetProperty("whole").GetBoolean(),
            found.GetProperty("nodeStarts").GetBoolean()));
        Assert.Contains("journal.mark", Assert.Single(found.GetProperty("refusals").EnumerateArray()).GetString()!, StringComparison.Ordinal);
        JsonElement[] files = [.. found.GetProperty("files").EnumerateArray()];
        JsonElement mark = Assert.Single(files, file => file.GetProperty("path").GetString() == "journal.mark");
        Assert.Equal(("journalMark", "missing", true), (
            mark.GetProperty("role").GetString(), mark.GetProperty("state").GetString(), mark.GetProperty("isDamage").GetBoolean()));
        Assert.Equal(7, files.Length);
        Assert.All(found.GetProperty("replicas").EnumerateArray(), replica => Assert.Equal("unknown", replica.GetProperty("fate").GetString()));
        Assert.StartsWith("The node does not start. ", found.GetProperty("advice")[0].GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task No_byte_and_no_time_of_any_file_changes(bool damaged)
    {
        if (damaged)
        {
            DataFolder.Flip(folder.Meta, 40);
            DataFolder.Flip(folder.In("identity"), 20);
            await File.WriteAllBytesAsync(folder.In("identity.new"), [], TestContext.Current.CancellationToken);
        }

        IReadOnlyList<(string, string, DateTime)> before = folder.State();
        await RunAsync(folder.Path);
        Assert.Equal(before, folder.State());
    }

    [Fact]
    public async Task One_replica_can_be_asked_for_by_topic_and_partition()
    {
        DataFolder.Flip(folder.Meta, 40);
        Assert.Equal(ExitCodes.Failed, (await RunAsync(folder.Path, "--group", "payments/0")).Code);
        (int code, string said, _) = await RunAsync(folder.Path, "--group", "orders-0");
        Assert.Equal(ExitCodes.Done, code);
        Assert.DoesNotContain("payments", said, StringComparison.Ordinal);
        Assert.Equal((ExitCodes.NotFound, "", $"{folder.Path} has no replica of invoices/0.\n"), await RunAsync(folder.Path, "--group", "invoices/0"));
    }

    [Fact]
    public async Task A_folder_that_somebody_works_on_is_refused_with_11()
    {
        using StoppedFolder node = StoppedFolder.Open(folder.Path, CancellationToken.None);
        (int code, string said, string error) = await RunAsync(folder.Path);
        Assert.Equal((ExitCodes.FolderInUse, ""), (code, said));
        Assert.StartsWith($"A node runs on {folder.Path}: stop it first.", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_no_data_folder_is_a_wrong_command_line_and_told_apart()
    {
        string outer = Path.GetDirectoryName(folder.Path)!;
        string empty = Directory.CreateDirectory(folder.In("journal/empty")).FullName;
        string other = Directory.CreateDirectory(folder.In("journal/other")).FullName;
        await File.WriteAllTextAsync(Path.Combine(other, "notes"), "", TestContext.Current.CancellationToken);
        string several = Directory.CreateDirectory(folder.In("journal/several/node-0")).FullName;
        File.Copy(folder.In("identity"), Path.Combine(several, "identity"));
        Assert.Equal((ExitCodes.Usage, "", $"There is no folder {outer}/nowhere, or no right to look for it; see raftmq doctor --help.\n"), await RunAsync($"{outer}/nowhere"));
        Assert.Contains("is a file", (await RunAsync(folder.In("identity"))).Error, StringComparison.Ordinal);
        Assert.Contains("is empty: no node was ever started on it, or its volume is not mounted", (await RunAsync(empty)).Error, StringComparison.Ordinal);
        Assert.Contains("has no file 'identity' and no journal", (await RunAsync(other)).Error, StringComparison.Ordinal);
        Assert.Contains($"has some inside: {several};", (await RunAsync(folder.In("journal/several"))).Error, StringComparison.Ordinal);
        Assert.Equal(ExitCodes.Usage, (await RunAsync(empty)).Code);
    }

    [Fact]
    public async Task Another_format_ends_with_15()
    {
        byte[] identity = await File.ReadAllBytesAsync(folder.In("identity"), TestContext.Current.CancellationToken);
        identity[8] = 1;
        BitConverter.TryWriteBytes(identity.AsSpan(4), Records.Crc32C.Compute(identity.AsSpan(8, 40)));
        identity.AsSpan(0, 512).CopyTo(identity.AsSpan(512));
        await File.WriteAllBytesAsync(folder.In("identity"), identity, TestContext.Current.CancellationToken);
        (int code, string said, string error) = await RunAsync(folder.Path);
        Assert.Equal((ExitCodes.NodeCannotStart, ""), (code, said));
        Assert.Contains("has format 1", error, StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Said, string Error)> RunAsync(params string[] arguments)
    {
        StringWriter output = new();
        StringWriter error = new();
        int code = await CommandTree.RunAsync(["doctor", .. arguments], output, error);
        return (code, output.ToString(), error.ToString());
    }
}
