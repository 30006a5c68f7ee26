using RaftMq.Cli.Output;
using RaftMq.Storage.Examination;

namespace RaftMq.Cli.Doctor;

/// <summary>What a start of the node does about what was found, and what its operator should do. Whole sentences.</summary>
internal static class Advice
{
    private const string Nobody = "it is the only replica, so nobody else has it: put back what is damaged from a copy of this folder as it was when the node stopped.";

    /// <summary>As the product names it. No placement tells of it, so nobody makes a replica of it anew.</summary>
    private const string ControllerName = "controller";

    /// <summary>The most important first.</summary>
    public static IEnumerable<string> Of(ExaminedFolder folder)
    {
        foreach (string refusal in folder.Refusals)
        {
            yield return $"The node does not start. {refusal}";
        }

        foreach (ExaminedGroup group in folder.Groups)
        {
            if (Of(group) is { } sentence)
            {
                yield return sentence;
            }
        }

        foreach (ExaminedFile file in folder.Files)
        {
            if (Of(file) is { } sentence)
            {
                yield return sentence;
            }
        }

        if (folder.Files.Any(static file => file.IsDamage))
        {
            yield return "Bits do not flip alone: look at the disk before the node is started.";
        }
    }

    /// <summary>Null: there is nothing to say.</summary>
    private static string? Of(ExaminedGroup group) => group.Fate switch
    {
        GroupFate.WaitsForRepair when group.IsOnlyReplica => $"{group.Name} does not start: {group.Report}; {Nobody}",
        GroupFate.WaitsForRepair =>
            $"{group.Name} does not start at once: {group.Report}. It is mended with what the other replicas have, by itself, and starts then; let them run.",
        GroupFate.StartsDamaged when group.IsOnlyReplica => $"{group.Name} starts and can't lead: {group.Report}; {Nobody}",
        GroupFate.StartsDamaged =>
            $"{group.Name} starts as a damaged replica: {group.Report}. It leads nothing until its leader has healed it, by itself; let a majority of the others run.",
        GroupFate.StaysOut when group.IsOnlyReplica => $"{group.Name} does not start, and can't be mended here: {group.Report}; {Nobody}",
        GroupFate.StaysOut when group.Name == ControllerName =>
            $"{group.Name} does not start, and can't be mended here: {group.Report}. Remove this node, and let it join again with an empty folder.",
        GroupFate.StaysOut =>
            $"{group.Name} does not start, and can't be mended here: {group.Report}. It is deleted and comes back from the other replicas, by itself; let them run.",
        GroupFate.Starts when group.DamagedFiles > 0 && group.IsOnlyReplica =>
            $"{group.Name} starts without {Counted.Of(group.DamagedFiles, "damaged file")}; for what the node can't make again itself {Nobody}",
        GroupFate.Starts when group.DamagedFiles > 0 =>
            $"{group.Name} starts; {Counted.Of(group.DamagedFiles, "damaged file")} {Counted.Be(group.DamagedFiles)} mended when a read or the scrub meets them, by itself.",
        _ => null,
    };

    private static string? Of(ExaminedFile file) => (file.Role, file.State) switch
    {
        (FileRole.Journal, FileState.Mendable) => $"{file.Path}: the start mends it by what it holds twice.",
        (FileRole.Journal, FileState.Damaged or FileState.Missing) =>
            $"{file.Path}: the start goes on without what is damaged; what that means for each partition is said above. Nothing of it is thrown away.",
        (FileRole.Identity or FileRole.Boot, FileState.Mendable) => $"{file.Path}: the copy that is whole will do.",
        (_, FileState.Unreadable) => $"{file.Path}: the disk does not give it, and a node that meets that stops. Copy the folder to a disk that is whole.",
        _ => null,
    };
}
