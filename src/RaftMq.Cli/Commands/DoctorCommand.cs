using System.CommandLine;
using RaftMq.Cli.Doctor;
using RaftMq.Storage.Examination;
using RaftMq.Storage.Files;

namespace RaftMq.Cli.Commands;

/// <summary><c>raftmq doctor DIR</c>: what of a stopped node's data is whole, torn or damaged.</summary>
internal static class DoctorCommand
{
    public const string Name = "doctor";

    /// <summary>What the options do not say.</summary>
    public const string Explanation =
        """
        The node must be stopped; nothing in its folder is changed, and it can't start meanwhile. All files are read. Whole is what is as it was
        written; torn an end that was on its way when the node stopped, as after any crash; mendable what is whole by what the file holds
        twice. At the end stands what a start makes of what was found, and what to do. It ends with 0 when all is whole, and with 1 when
        something is damaged or the node would not start. docs/operations.md explains each finding.
        """;

    private static readonly TimeSpan ProgressEvery = TimeSpan.FromSeconds(1);

    public static Command Build()
    {
        var folder = new Argument<string>("dir") { Description = "The data folder of one node: data.folder of its configuration, DIR/node-K of raftmq up." };
        var group = new Option<string?>("--group")
        {
            HelpName = "TOPIC/P",
            Description = "Read the files of this replica only; the journal and the node's own files always are.",
        };
        var files = new Option<bool>("--files") { Description = "A line for each file, whole ones too." };
        Option<bool> json = CommonOptions.JsonOutput();
        var command = new Command(Name, "Tell what of a stopped node's data is whole, torn or damaged, changing nothing.") { folder, group, files, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            InvocationConfiguration streams = parsed.InvocationConfiguration;
            string path = parsed.GetRequiredValue(folder);
            ExaminedFolder found = await ExamineAsync(path, parsed.GetValue(group), Console.IsErrorRedirected ? null : streams.Error, cancellation);
            await (parsed.GetValue(json)
                ? DoctorReport.WriteJsonAsync(streams.Output, path, found)
                : DoctorReport.WriteTextAsync(streams.Output, path, found, parsed.GetValue(files)));
            return found.IsWhole ? ExitCodes.Done : ExitCodes.Failed;
        });
        return command;
    }

    /// <param name="terminal">Where to say how far it is; null for nowhere.</param>
    private static async Task<ExaminedFolder> ExamineAsync(string path, string? group, TextWriter? terminal, CancellationToken cancellation)
    {
        using StoppedFolder disk = StoppedFolder.Open(path, cancellation);
        RequireDataFolder(disk, path);
        Func<string, bool> wants = Wanted(group);
        if (group is not null && !FolderExamination.GroupNames(disk).Any(wants))
        {
            throw new CommandFailedException(ExitCodes.NotFound, $"{path} has no replica of {group}.");
        }

        // One long piece of work with the disk, which the command has nothing to do beside but to say how far it is.
        Task<ExaminedFolder> work = Task.Run(() => Examine(disk, wants), CancellationToken.None);
        while (terminal is not null && await Task.WhenAny(work, Task.Delay(ProgressEvery, CancellationToken.None)) != work)
        {
            await terminal.WriteAsync($"\r{disk.BytesRead >> 20} MiB read");
        }

        ExaminedFolder found = await work;
        if (terminal is not null && disk.BytesRead > 0)
        {
            await terminal.WriteAsync("\r\u001b[K");
        }

        return found;
    }

    /// <summary>A replica that came by a movement has the movement in its name, behind a ~.</summary>
    private static Func<string, bool> Wanted(string? group) => name =>
        group is null || name == group || name.Split('~')[0] == group.Replace('/', '-');

    private static ExaminedFolder Examine(StoppedFolder disk, Func<string, bool> wants)
    {
        try
        {
            return FolderExamination.Run(disk, wants);
        }
        catch (StoreRefusedException format)
        {
            throw new CommandFailedException(ExitCodes.NodeCannotStart, format.Message);
        }
    }

    private static void RequireDataFolder(StoppedFolder disk, string path)
    {
        if (FolderExamination.IsDataFolder(disk))
        {
            return;
        }

        IReadOnlyList<string> names = disk.List("");
        string[] nodes = [.. names.Where(name => disk.FileExists($"{name}/identity"))];
        throw new CommandFailedException(ExitCodes.Usage, nodes.Length > 0
            ? $"{path} is no node's data folder itself, and has some inside: {string.Join(", ", nodes.Select(name => Path.Combine(path, name)))}"
            : names.All(static name => name is "lost+found" or "reserve")
            ? $"{path} is empty: no node was ever started on it, or its volume is not mounted, or was emptied"
            : $"{path} is no node's data folder: it has no file 'identity' and no journal");
    }
}
