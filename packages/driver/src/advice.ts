import type { LinuxSystem } from './system.ts';

const packages: Record<string, string> = {
  debian:
    'apt-get install mesa-vulkan-drivers libvulkan1 (Mesa 25 or newer; on Debian 12 with -t bookworm-backports)',
  ubuntu: 'apt-get install mesa-vulkan-drivers libvulkan1 (Ubuntu 24.04 or newer)',
  fedora: 'dnf install mesa-vulkan-drivers vulkan-loader',
  rhel: 'dnf install mesa-vulkan-drivers vulkan-loader',
  arch: 'pacman -S vulkan-swrast vulkan-icd-loader',
  suse: 'zypper install libvulkan_lvp libvulkan1',
};

/** What to do on a system that has no WebGPU adapter, as an instruction. */
export function driverAdvice(platform: NodeJS.Platform, system: LinuxSystem, architecture: string): string {
  if (platform === 'darwin') {
    return 'macOS brings Metal along, but it is not visible here: run in a login session of macOS 13 or newer, not in a virtual machine without a graphics device.';
  }
  if (platform === 'win32') {
    return "Install the graphics driver of the GPU's maker (Windows Update has one for most), or run inside WSL with Ubuntu 24.04.";
  }
  if (platform !== 'linux') return `convbase has no WebGPU on ${platform}; use Linux, macOS or Windows.`;
  if (!['x64', 'arm64'].includes(architecture)) {
    return `the npm package webgpu has no build for ${architecture}; use a 64-bit Intel, AMD or ARM machine.`;
  }
  if (system.family === 'alpine') {
    return 'the npm package webgpu needs glibc, which Alpine Linux lacks; use an image based on Debian, such as node:22-bookworm.';
  }
  const command = packages[system.family];
  if (command === undefined) {
    return "Install a Vulkan driver: the one of your GPU, or Mesa's lavapipe (25 or newer) and the Vulkan loader.";
  }
  return `Install a Vulkan driver: the one of your GPU, or the software one with: ${command}.`;
}
