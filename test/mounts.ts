import { chmod, mkdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { COOP } from "./binary";
import type { Story } from "./story";

/** Runs a program of the system that must succeed; most of them need root. */
export async function command(...words: string[]): Promise<void> {
  const child = Bun.spawn(words, { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  if ((await child.exited) !== 0) throw new Error(`${words.join(" ")} (needs root?): ${err}${out}`);
}

const mounted = (at: string): AsyncDisposable => ({
  [Symbol.asyncDispose]: () => command("umount", "--lazy", at),
});

/**
 * Mounts a folder a second time by sshfs, over a pipe instead of a network. With `direct_io` no file on it can be
 * mapped into memory that is shared, as on a network file system of several hosts.
 */
export async function sshfs(
  of: string,
  at: string,
  options: readonly string[] = ["direct_io"],
): Promise<AsyncDisposable> {
  await command("sh", resolve(import.meta.dir, "../scripts/sshfs"));
  await mkdir(at, { recursive: true });
  const server = join(dirname(at), "sftp-server");
  await Bun.write(server, "#!/bin/sh\nexec /usr/lib/openssh/sftp-server\n");
  await chmod(server, 0o755);
  await command("sshfs", "-o", [...options, `ssh_command=${server}`].join(), `host:${of}`, at);
  return mounted(at);
}

/** Mounts a folder a second time, where nothing can be written. */
export async function readOnly(of: string, at: string): Promise<AsyncDisposable> {
  await mkdir(at, { recursive: true });
  await command("mount", "--bind", of, at);
  await command("mount", "-o", "remount,ro,bind", at);
  return mounted(at);
}

/**
 * A program that runs coop on another host, whose system says that every folder is on a file system of this type, with
 * these options: what coop makes of a mount that this machine cannot have.
 */
export async function pretending(
  coop: Story,
  type: string,
  options: string,
  host = "client",
): Promise<string> {
  const script = join(coop.folder, `${host}-on-${type}`);
  await Bun.write(
    script,
    `#!/bin/sh
if [ "$1" != --apart ]; then exec unshare --mount --uts sh "$0" --apart "$@"; fi
shift
hostname ${host}
mount -t tmpfs tmpfs /mnt
mkdir -p /mnt/real /mnt/proc/self/fdinfo
mount -t proc proc /mnt/real
ln -s /mnt/real/[a-z]* /mnt/proc/ 2>/dev/null
ln -s /mnt/real/self/* /mnt/proc/self/ 2>/dev/null
rm /mnt/proc/self/mountinfo
echo "99 1 0:50 / / rw,relatime shared:1 - ${type} host:/folder rw,${options}" > /mnt/proc/self/mountinfo
for handle in 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24; do
  echo "mnt_id: 99" > /mnt/proc/self/fdinfo/$handle
done
mount --rbind /mnt/proc /proc
exec ${COOP} "$@"
`,
  );
  await chmod(script, 0o755);
  return script;
}
