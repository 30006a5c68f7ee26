using System.Globalization;
using RaftMq.Cli.Output;
using RaftMq.Storage.Examination;

namespace RaftMq.Cli.Doctor;

/// <summary>What <c>raftmq doctor</c> prints.</summary>
internal static class DoctorReport
{
    /// <param name="allFiles">Whole files of groups have a line each, too; without, one for all of a group.</param>
    public static async Task WriteTextAsync(TextWriter output, string path, ExaminedFolder folder, bool allFiles)
    {
        await output.WriteLineAsync(
            $"{path}: {(folder.Node is { } node ? $"node {node.Value}" : "node unknown")}, store {folder.Store?.ToString() ?? "unknown"}, "
            + $"started {(folder.Boot is { } boot ? $"{boot} {(boot == 1 ? "time" : "times")}" : "an unknown number of times")}");
        Tables.Write(output, ["FILE", "STATE", "BYTES", "WHAT"], Rows(folder, allFiles));
        foreach (string sentence in Advice.Of(folder))
        {
            await output.WriteLineAsync(sentence);
        }

        int torn = folder.Files.Count(static file => file.State == FileState.Torn);
        string files = $"{Counted.Of(folder.Files.Count(static file => file.State != FileState.Missing), "file")} of {Counted.Of(folder.Groups.Count, "replica")}";
        int damaged = folder.Files.Count(static file => file.IsDamage);
        await output.WriteLineAsync(folder.IsWhole
            ? $"whole: {files}{(torn == 0 ? "" : $", {torn} with an end that was on its way when the node stopped")}"
            : $"not whole: {Counted.Of(damaged, "damaged file")}, {Counted.Of(folder.Groups.Count(static group => group.IsDamaged), "damaged replica")}, of {files}");
    }

    public static Task WriteJsonAsync(TextWriter output, string path, ExaminedFolder folder) => Json.WriteAsync(output, new
    {
        folder = path,
        node = folder.Node?.Value,
        store = folder.Store?.ToString(),
        starts = folder.Boot,
        whole = folder.IsWhole,
        nodeStarts = folder.Refusals.Count == 0,
        refusals = folder.Refusals,
        replicas = folder.Groups,
        files = folder.Files.Select(file => new { file.Path, file.Role, file.State, file.IsDamage, file.Bytes, file.Detail }),
        advice = Advice.Of(folder),
    });

    private static IEnumerable<IReadOnlyList<string>> Rows(ExaminedFolder folder, bool allFiles)
    {
        HashSet<string> folders = [.. folder.Groups.Select(static group => group.Folder).OfType<string>()];
        foreach (ExaminedFile file in folder.Files)
        {
            if (allFiles || file.State != FileState.Whole || !folders.Contains(file.Path[..Math.Max(0, file.Path.LastIndexOf('/'))]))
            {
                yield return [file.Path, Word(file.State), file.Bytes.ToString("N0", CultureInfo.InvariantCulture), file.Detail];
            }
        }

        foreach (ExaminedGroup group in folder.Groups)
        {
            yield return
            [
                group.Folder is { } path ? $"{path}/" : group.Name,
                group.IsDamaged ? "damaged" : group.Fate == GroupFate.Deleted ? "leftover" : "whole",
                folder.Files.Where(file => group.Folder is { } of && file.Path.StartsWith($"{of}/", StringComparison.Ordinal)).Sum(static file => file.Bytes)
                    .ToString("N0", CultureInfo.InvariantCulture),
                $"{group.Name}: {Counted.Of(group.Files, "file")}{(group.DamagedFiles == 0 ? "" : $", {group.DamagedFiles} damaged")}",
            ];
        }
    }

    private static string Word(FileState state) => state.ToString().ToLowerInvariant();
}
